from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from tests.docker_engine import Engine, docker_engine

# A loaded machine is no fault of what is tested, and what fails today fails tomorrow: `make fuzz` looks further.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

# Without the pictures of tracebacks that rich draws, half a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

INSTALLS_SECONDS = 1200  # the first test that needs the engine installs it on a fresh machine
# The files that take longest, so that no worker begins one of them when the other has nothing left to do.
LONGEST = (
    "deploy/test_image.py",
    "release/test_release.py",
    "integration/test_discovery.py",
    "faults/test_kills.py",
    "browser/test_every_page.py",
    "browser/test_overview.py",
    "faults/test_r14_docker.py",
    "security/test_s15_rotation.py",
    "security/test_s16_repeats.py",
    "integration/test_docker_logs.py",
    "faults/test_r3_pause.py",
    "security/test_s9_slow_clients.py",
    "integration/test_alerts_api.py",
    "security/test_s11_flood.py",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {HERE / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
    for item in items:
        if "daemon" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(INSTALLS_SECONDS))


@pytest.fixture(scope="session")
def daemon() -> Iterator[Engine]:
    with docker_engine() as one:
        yield one


@pytest.fixture
def docker(daemon: Engine) -> Iterator[Engine]:
    """A running Docker Engine without containers."""
    daemon.remove_everything()
    yield daemon
    daemon.remove_everything()
