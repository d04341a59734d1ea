"""`fks_master logs`: what the containers of services have written, and write."""

import sys
from pathlib import Path
from urllib.parse import urlencode

import click

from fks_master.cli import client


@click.command()
@click.argument("services", nargs=-1, required=True)
@client.options
@click.option("-f", "--follow", is_flag=True, help="Stay, and show lines as they come.")
@click.option("--tail", type=click.IntRange(0, 10_000), default=200, show_default=True, help="How many of the last.")
@click.option("--since", help="A time, or an age such as 15m.")
@click.option("--grep", help="Only lines that contain this text.")
@click.option("--json", "as_json", is_flag=True, help="Each line as JSON, with time and stream.")
def logs(services: tuple[str, ...], url: str | None, key_file: Path | None, **asked: object) -> None:
    """Show the logs of SERVICES, merged by time.

    \b
    Examples:
      fks_master logs fks_api --tail 50
      fks_master logs fks_api fks_web -f --since 15m --grep error
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    for name in services:
        monitor.service(name)
    query: list[tuple[str, object]] = [("service", service) for service in services]
    query += [("tail", asked["tail"]), ("follow", str(asked["follow"]).lower())]
    query += [(name, asked[name]) for name in ("since", "grep") if asked[name]]
    query += [("format", "ndjson" if asked["as_json"] else "text"), ("colours", str(sys.stdout.isatty()).lower())]
    monitor.pour(f"/api/logs?{urlencode(query)}", None if asked["follow"] else client.SECONDS)
