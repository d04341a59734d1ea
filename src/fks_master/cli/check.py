"""`fks_master check`: one look at a service or an address."""

import os
from pathlib import Path

import click
import msgspec
import uvloop

from fks_master.cli import options
from fks_master.cli.client import printable
from fks_master.clock import SystemClock
from fks_master.config import formats
from fks_master.config.environment import read_environment
from fks_master.config.load import load
from fks_master.config.walk import show
from fks_master.docker.engine import DockerEngine
from fks_master.errors import ConfigError, NoDockerError
from fks_master.heartbeats.ward import is_pushed
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.probes.container import watched_container
from fks_master.probes.once import check_once, service_at, trace


@click.command()
@click.argument("target")
@options.config
@click.option("--timeout", type=click.FloatRange(0.1, 3600), help="Seconds to wait [the service's own, else 10].")
@click.option("--json", "as_json", is_flag=True, help="The whole result as JSON.")
def check(target: str, config: Path | None, timeout: float | None, *, as_json: bool) -> None:
    """Check TARGET once: an address, or the id of a service in the config file; exit 0 if it is well, else 1.

    \b
    Examples:
      fks_master check http://localhost:8000/health
      fks_master check tcp://db:5432 --timeout 2
      fks_master check docker://fks_db
      fks_master check fks_api --config stack.toml
    """  # noqa: D301
    service = _service(target, config)
    if timeout:
        service = msgspec.structs.replace(service, timeout_seconds=timeout)
    result = uvloop.run(_look(service))
    _show(service, result, as_json=as_json)
    raise SystemExit(0 if result.outcome is Outcome.SUCCESS else 1)


def _service(target: str, config: Path | None) -> Service:
    if "://" in target:
        if expected := formats.endpoint(target):
            raise ConfigError("check", [f"found {show(target)}, expected {expected}"])
        return _asked(service_at(target))
    services = {service.id: service for service in load(config, os.environ).services}
    if target not in services:
        known = ", ".join(services) or "none"
        raise ConfigError(
            "check", [f"no service {target!r}; known are {known}; an address begins with http:// or such"]
        )
    return _asked(services[target])


def _asked(service: Service) -> Service:
    if is_pushed(service):
        raise ConfigError("check", [f"{service.id} is not asked, it reports itself; see /api/heartbeats"])
    return service


async def _look(service: Service) -> Result:
    clock = SystemClock()
    if watched_container(service.health_endpoint) is None:
        return (await check_once([service], clock))[0]
    engine = DockerEngine(read_environment(os.environ).docker_host)
    try:
        await engine.connect()
        return (await check_once([service], clock, engine=engine))[0]
    except NoDockerError as error:
        return Result(service.id, Outcome.VOID, clock.now(), reason=Reason.UNSEEN, message=str(error))
    finally:
        await engine.close()


def _show(service: Service, result: Result, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(result).decode())
        return
    is_well = result.outcome is Outcome.SUCCESS
    bad = "not known" if result.outcome is Outcome.VOID else f"failed ({result.reason})"
    word = "degraded" if is_well and result.degraded else "well" if is_well else bad
    click.secho(f"{service.name}: {word}", fg="green" if word == "well" else "yellow" if is_well else "red", bold=True)
    for line in [*([result.message] if result.message else []), *trace(result)]:
        click.echo(f"  {printable(line)}")
