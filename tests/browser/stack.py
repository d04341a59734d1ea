"""A simulated fleet whose services have real containers: for what needs Docker, and for the pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.docker_engine import Engine
from tests.process import Fleet, Monitor, fleet, monitor

GROUPS = {
    "fks_api": "core", "fks_auth": "core", "fks_config": "core", "fks_data": "core",
    "fks_engine": "trading", "fks_execution": "trading", "fks_training": "trading",
    "fks_transformer": "pipeline", "fks_worker": "pipeline", "fks_nginx": "edge", "fks_web": "edge",
}  # fmt: skip
# What a container does: says something twice a second, now and then on stderr, and ends on TERM.
WORK = """trap 'exit 0' TERM
echo "engine 1.8.3 starting, 2 cores, limit 64 MB"
n=0
while true; do
  n=$((n + 1))
  echo "tick $n: order book in memory, $((n % 7 + 12)) ms"
  [ $((n % 9)) = 0 ] && echo "WARN db: slow query $((n * 13)) ms: select … from ticks where day = \\$1" >&2
  [ $((n % 25)) = 0 ] && echo "ERROR alloc: cannot grow arena: out of memory" >&2
  sleep 0.5
done"""


class Stack(NamedTuple):
    """What runs."""

    targets: Fleet
    monitor: Monitor
    engine: Engine


@contextmanager
def stack(engine: Engine, names: tuple[str, ...], more: str = "", interval: float = 1.0) -> Iterator[Stack]:
    """Run containers with these names, and a monitor that knows to which services they belong."""
    for name in names:
        engine.docker("run", "-d", "--name", name, "--network", "none", "--memory", "64m", "fks/box", "sh", "-c", WORK)
    with fleet(interval=interval) as targets:
        text = targets.config.read_text()
        for service_id, group in GROUPS.items():
            container = f'docker_container = "{service_id}"\n' if service_id in names else ""
            text = text.replace(f'id = "{service_id}"\n', f'id = "{service_id}"\ngroup = "{group}"\n{container}')
        targets.config.write_text(more + text)
        with monitor("--config", str(targets.config), folder=targets.config.parent, **engine.environment) as one:
            yield Stack(targets, one, engine)
    engine.remove_everything()
