"""What restart, start and stop have in common: one service after the other, through a running monitor."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from fks_master.cli.client import Client, ClientError
from fks_master.clock import SystemClock

SECONDS = 660.0  # a container may take ten minutes to end
WELL_SECONDS = 75.0  # the monitor gives a service a minute
LOOK_SECONDS = 0.5
DONE = {"restart": ("restarting", "restarted"), "start": ("starting", "started"), "stop": ("stopping", "stopped")}

no_wait = click.option("--no-wait", is_flag=True, help="Do not wait until the service is well.")


def act(
    action: str, services: tuple[str, ...], monitor: Client, *, as_json: bool = False, is_verified: bool = True
) -> None:
    """Do it to each; the first that fails ends it with a ClientError, an unknown name before anything is done."""
    paths = {name: monitor.service(name) for name in services}
    answers: list[Any] = []
    for name, path in paths.items():
        _say(f"{name}: {DONE[action][0]}", as_json=as_json)
        before = _verdict(monitor, name) if is_verified else None
        answer = monitor.get(f"{path}/{action}", "POST", seconds=SECONDS)
        well = "" if before is None else _until_well(monitor, name, action, before)
        answers.append(answer)
        if not as_json:
            click.secho(f"{name}: {DONE[action][1]}{well}", fg="green")
    if as_json:
        click.echo(msgspec.json.encode(answers).decode())


def _say(text: str, *, as_json: bool) -> None:
    if not as_json:
        click.echo(text, err=True)


def _verdict(monitor: Client, name: str) -> Mapping[str, Any] | None:
    """Return what the monitor said last about a service after an action: nothing yet; None: it cannot say."""
    asked = urlencode({"limit": 1, "service_id": name, "event_type": "ServiceRestarted"})
    with suppress(ClientError):  # without its history it can still restart
        events = monitor.get(f"/api/events?{asked}")["events"]
        return events[0] if events else {}
    return None


def _until_well(monitor: Client, name: str, action: str, before: Mapping[str, Any]) -> str:
    """Wait for the monitor's verdict. Raises ClientError unless it is a good one."""
    clock = SystemClock()
    deadline = clock.monotonic() + WELL_SECONDS
    while clock.monotonic() < deadline:
        found = _verdict(monitor, name)
        if found and found["id"] != before.get("id"):
            took = f"{found['data']['seconds_until_healthy']:.1f} s"
            if not found["data"]["success"]:
                raise ClientError(f"{name}: {DONE[action][1]}, but it is not well {took} after")
            return f", well after {took}"
        asyncio.run(clock.sleep(LOOK_SECONDS))
    raise ClientError(f"{name}: {DONE[action][1]}, but whether it is well nobody has said within {WELL_SECONDS:g} s")
