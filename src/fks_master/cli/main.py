"""The commands and what they have in common."""

import os
import sys
from pathlib import Path

import click
import uvloop

from fks_master import __version__
from fks_master.app import serve as run
from fks_master.config.load import load
from fks_master.config.schema import Config
from fks_master.errors import ConfigError

CONFIG = click.option("--config", type=click.Path(path_type=Path), help="The config file [config/monitor.toml].")
HOST = click.option("--host", default="127.0.0.1", envvar="FKS_MASTER_HOST", show_default=True)
PORT = click.option("--port", default=9090, envvar="FKS_MASTER_PORT", show_default=True, type=click.IntRange(0, 65535))


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fks_master")
@HOST
@PORT
@CONFIG
@click.pass_context
def main(context: click.Context, host: str, port: int, config: Path | None) -> None:
    """Watch the services of a Docker/Compose system. Without a command: serve."""
    if context.invoked_subcommand is None:
        context.invoke(serve, host=host, port=port, config=config)


@main.command()
@HOST
@PORT
@CONFIG
def serve(host: str, port: int, config: Path | None) -> None:
    """Watch the services and serve API, live feed and metrics."""
    settings = _load(config)
    click.echo(f"FKS Master {__version__} watches {len(settings.services)} services on http://{host}:{port}")
    uvloop.run(run(settings, host, port))


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def validate(file: Path | None) -> None:
    """Say what is wrong with a config file; exit 1 if anything is."""
    settings = _load(file)
    click.echo(f"No mistakes; {len(settings.services)} services.")


def _load(path: Path | None) -> Config:
    try:
        return load(path, os.environ)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
