"""`fks_master alerts maintenance`: times for which nobody is to be told, planned at a running monitor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from fks_master.cli import client
from fks_master.cli.durations import seconds_of


@click.command()
@click.argument("name", required=False)
@click.option("--for", "duration", help="How long: 90s, 30m, 2h or 3d.")
@click.option("--begins", help="When, with its zone, such as 2026-05-01T22:00:00+02:00 [now].")
@click.option("--service", "services", multiple=True, help="Which service; may be said again [all].")
@click.option("--end", "ended", metavar="ID", help="End a planned one now, or call it off.")
@client.options
@click.option("--json", "as_json", is_flag=True, help="The monitor's answer as JSON.")
def maintenance(url: str | None, key_file: Path | None, *, as_json: bool, **said: Any) -> None:  # noqa: ANN401 - options
    """Plan maintenance called NAME, or list what is planned.

    \b
    Examples:
      fks_master alerts maintenance
      fks_master alerts maintenance "moving the disk" --for 2h --service fks_data
      fks_master alerts maintenance --end window-0123456789abcdef
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    if said["ended"]:
        monitor.get(f"/api/maintenance/{quote(said['ended'], safe='')}", "DELETE")
        _say({"ended": said["ended"]}, [f"{said['ended']}: ended"], as_json=as_json)
    elif said["name"]:
        made = monitor.get("/api/maintenance", "POST", _plan(said))
        _say(made, [_line(made)], as_json=as_json)
    else:
        found = monitor.get("/api/maintenance")
        lines = [_line(one["window"]) + (", lasts now" if one["is_active"] else "") for one in found]
        _say(found, lines or ["nothing is planned"], as_json=as_json)


def _plan(said: Mapping[str, Any]) -> dict[str, object]:
    if not said["duration"]:
        raise click.UsageError("--for is missing: how long it lasts, such as 2h")
    plan = {"name": said["name"], "services": said["services"], "duration_seconds": seconds_of(said["duration"])}
    return {**plan, "begins": said["begins"]} if said["begins"] else plan


def _line(window: Mapping[str, Any]) -> str:
    bounds = ("begins", "ends") if window["begins"] else ("from_time", "to_time")
    when = " to ".join(str(window[one]) for one in bounds)
    which = ", ".join(window["services"]) or "all services"
    named = f"{window['id']} " if window["id"] else ""
    return client.printable(f"{named}{window['name']}: {which}, {when}")


def _say(found: object, lines: list[str], *, as_json: bool) -> None:
    for line in [msgspec.json.encode(found).decode()] if as_json else lines:
        click.echo(line)
