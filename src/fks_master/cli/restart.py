"""`fks_master restart`: restart the container of a service through a running monitor."""

from pathlib import Path

import click

from fks_master.cli import client

SECONDS = 60.0


@click.command()
@click.argument("services", nargs=-1, required=True)
@client.options
def restart(services: tuple[str, ...], url: str | None, key_file: Path | None) -> None:
    """Restart SERVICES one after another, each verified by the monitor's next check; stop at the first that fails.

    \b
    Examples:
      fks_master restart fks_api
      FKS_MONITOR_API_KEY=… fks_master restart fks_api fks_web --url https://monitor.example
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    paths = {name: monitor.service(name) for name in services}
    for name, path in paths.items():
        click.echo(f"{name}: restarting", err=True)
        with monitor.open(f"{path}/restart", "POST", SECONDS):
            click.secho(f"{name}: restarted", fg="green")
