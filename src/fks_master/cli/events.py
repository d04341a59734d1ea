"""`fks_master events`: what happened, and what happens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from fks_master.cli import client
from fks_master.cli.client import printable

MOST = 1000
BAD = {"ServiceDown", "ContainerDied", "ContainerCrashLooping", "ContainerOutOfMemory"}
ODD = {"HighLatency", "ServiceFlapping", "SystemAlert", "ContainerStopped", "ServiceLeft"}
GOOD = {"ServiceUp", "ServiceRestarted", "ServiceAppeared"}


@click.command()
@client.options
@click.option("-f", "--follow", is_flag=True, help="Stay, and show events as they happen.")
@click.option("-n", "--tail", type=click.IntRange(0, 1000), default=50, show_default=True, help="How many of the last.")
@click.option("--service", help="Only this service's.")
@click.option("--type", "event_type", help="Only this type, such as ServiceDown.")
@click.option("--json", "as_json", is_flag=True, help="Each event as JSON in a line of its own.")
def events(url: str | None, key_file: Path | None, **said: Any) -> None:  # noqa: ANN401 - as click hands over
    """Show the last events, and with --follow those to come.

    \b
    Examples:
      fks_master events
      fks_master events -f --service fks_api
      fks_master events -f --type ServiceDown --json
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    if said["service"]:
        monitor.service(said["service"])
    if not said["follow"]:
        for one in _past(monitor, said, said["tail"]):
            _show(one, as_json=said["as_json"])
        return
    # What comes is asked for before what was, so that nothing falls between; what is in both is shown once.
    shown = 0
    for message in monitor.feed({"service_id": said["service"], "event_types": _types(said)}):
        news = [message["event"]] if message.get("type") == "event" else []
        if not message:
            news = _past(monitor, said, MOST if shown else said["tail"])
            shown = shown if news and news[-1]["id"] >= shown else 0  # a monitor that has forgotten counts from 1
        for one in news:
            if one["id"] > shown:
                shown = one["id"]
                _show(one, as_json=said["as_json"])


def _types(said: Mapping[str, Any]) -> list[str]:
    return [said["event_type"]] if said["event_type"] else []


def _past(monitor: client.Client, said: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """Return the last events, oldest first."""
    if not count:
        return []
    asked = {"limit": count, "service_id": said["service"], "event_type": said["event_type"]}
    page = monitor.get(f"/api/events?{urlencode({name: value for name, value in asked.items() if value})}")
    return list(reversed(page["events"]))


def _show(event: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(event).decode())
        return
    kind = event["event_type"]
    colour = "red" if kind in BAD else "yellow" if kind in ODD else "green" if kind in GOOD else None
    at = event["timestamp"][:19].replace("T", " ")
    service = event["service_id"] or "-"
    click.echo(f"{at}  {click.style(f'{kind:<20}', fg=colour)}  {service:<16}  {printable(event['message'])}")
