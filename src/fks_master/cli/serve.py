"""`fks_master serve`: watch, and serve dashboard, API, live feed and metrics."""

import os
from functools import partial
from pathlib import Path

import click
import uvloop

from fks_master.app import Run
from fks_master.app import serve as watch
from fks_master.cli import options
from fks_master.cli.screen import show
from fks_master.config.load import load
from fks_master.systemd import ServiceManager


@click.command()
@options.host
@options.port
@options.config
def serve(host: str | None, port: int | None, config: Path | None) -> None:
    """Watch the services, and serve dashboard, API, live feed and metrics.

    \b
    Examples:
      fks_master serve --config stack.toml
      fks_master serve --host 0.0.0.0 --port 8080

    SIGTERM and Ctrl-C end it, SIGHUP reads the config file again; so does a change of that file.
    """  # noqa: D301
    settings = options.settings(host, port)
    reread = partial(load, config, os.environ)
    uvloop.run(watch(Run(reread(), settings, reread, ServiceManager(os.environ)), show))
