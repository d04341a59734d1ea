"""`fks_master stop`: stop the container of a service through a running monitor."""

from pathlib import Path

import click

from fks_master.cli import client
from fks_master.cli.acting import act


@click.command()
@click.argument("services", nargs=-1, required=True)
@client.options
@click.option("--json", "as_json", is_flag=True, help="The monitor's answers as JSON.")
def stop(services: tuple[str, ...], url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Stop the containers of SERVICES one after another; a stop by hand is no crash, and is told as such.

    \b
    Examples:
      fks_master stop fks_api
      FKS_MONITOR_API_KEY=… fks_master stop fks_api fks_web --url https://monitor.example
    """  # noqa: D301
    act("stop", services, client.Client(url, key_file), as_json=as_json, is_verified=False)
