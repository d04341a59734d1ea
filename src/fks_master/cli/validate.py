"""`fks_master validate`: what is wrong with a config file."""

import os
from pathlib import Path

import click

from fks_master.config.load import load
from fks_master.words import counted


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def validate(file: Path | None) -> None:
    """Say everything that is wrong with a config FILE; exit 1 if anything is.

    \b
    Examples:
      fks_master validate
      fks_master validate /etc/fks_master/monitor.toml
    """  # noqa: D301
    found = load(file, os.environ)
    critical = sum(service.critical for service in found.services)
    source = found.source or "the built-in services"
    click.echo(f"{source}: no mistakes; {counted(len(found.services), 'service')}, {critical} of them critical")
