"""`fks_master start`: start the container of a service through a running monitor."""

from pathlib import Path

import click

from fks_master.cli import client
from fks_master.cli.acting import act, no_wait


@click.command()
@click.argument("services", nargs=-1, required=True)
@client.options
@no_wait
@click.option("--json", "as_json", is_flag=True, help="The monitor's answers as JSON.")
def start(services: tuple[str, ...], url: str | None, key_file: Path | None, *, no_wait: bool, as_json: bool) -> None:
    """Start the containers of SERVICES, each once the one before is well; stop at the first that fails.

    \b
    Examples:
      fks_master start fks_api
      FKS_MONITOR_API_KEY=… fks_master start fks_api fks_web --url https://monitor.example
    """  # noqa: D301
    act("start", services, client.Client(url, key_file), as_json=as_json, is_verified=not no_wait)
