"""`fks_master status`: what a running monitor sees."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from fks_master.cli import client
from fks_master.clock import SystemClock

MARKS = {"Unhealthy": ("■", "red"), "Degraded": ("▲", "yellow"), "Unknown": ("○", "white"), "Healthy": ("●", "green")}
RANK = list(MARKS)
SECONDS = 2.0


@click.command()
@click.argument("services", nargs=-1)
@client.options
@click.option("-w", "--watch", is_flag=True, help="Stay, and show it anew every two seconds.")
@click.option("--json", "as_json", is_flag=True, help="The services as JSON.")
def status(services: tuple[str, ...], url: str | None, key_file: Path | None, *, watch: bool, as_json: bool) -> None:
    """Show the services, or only SERVICES, worst first; exit 1 if one of them is Unhealthy.

    \b
    Examples:
      fks_master status
      fks_master status --watch
      fks_master status fks_api --json --url https://monitor.example
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    while True:
        found = _wanted(monitor, services)
        if watch:
            click.clear()
        _show(found, as_json=as_json)
        if not watch:
            raise SystemExit(int(any(one["status"] == "Unhealthy" for one in found)))
        asyncio.run(SystemClock().sleep(SECONDS))


def _wanted(monitor: client.Client, services: tuple[str, ...]) -> list[dict[str, Any]]:
    for name in services:
        monitor.service(name)
    found = [one for one in monitor.get("/api/services") if not services or one["id"] in services]
    return sorted(found, key=lambda one: (RANK.index(one["status"]), not one["critical"], one["id"]))


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    width = max((len(one["id"]) for one in found), default=0)
    for one in found:
        click.echo(_line(one, width))
    counts = {name: sum(one["status"] == name for one in found) for name in RANK}
    click.echo(", ".join(f"{count} {name.lower()}" for name, count in counts.items() if count) or "no services")


def _line(one: Mapping[str, Any], width: int) -> str:
    mark, colour = MARKS[one["status"]]
    took = "" if one["response_time_ms"] is None else f"{one['response_time_ms']:.1f} ms"
    why = "" if one["status"] == "Healthy" else (one["error_message"] or "").splitlines()[:1]
    reason = why[0] if why else ""
    text = f"{one['id']:<{width}}  {one['status']:<9}  {took:>10}  {client.printable(reason)}"
    return click.style(mark, fg=colour) + " " + text.rstrip()
