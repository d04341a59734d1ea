"""`fks_master demo`: the whole thing with nothing else installed."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import uvloop

from fks_master.app import Run, serve
from fks_master.cli import options
from fks_master.cli.screen import show
from fks_master.config.environment import Settings
from fks_master.config.load import load
from fks_master.errors import FksError
from fks_master.systemd import ServiceManager


@click.command()
@options.host
@options.port
@click.option("--size", default=11, show_default=True, type=click.IntRange(1, 10_000), help="How many services.")
@click.option("--interval", default=2.0, show_default=True, help="Seconds between two checks of a service.")
@click.option("--calm", is_flag=True, help="All services stay well.")
def demo(host: str | None, port: int | None, size: int, interval: float, *, calm: bool) -> None:
    """See FKS Master at work: simulated FKS services that misbehave on a script, and the monitor watching them.

    \b
    Examples:
      fks_master demo
      fks_master demo --port 0 --size 500 --calm
    """  # noqa: D301
    settings = options.settings(host, port)
    command = [sys.executable, "-m", "fks_master.demo", "--size", str(size), "--interval", str(interval)]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, *(["--calm"] if calm else [])], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as fleet:
        try:
            _watch(fleet, settings=settings)
        finally:
            fleet.terminate()


def _watch(fleet: "subprocess.Popen[str]", *, settings: Settings) -> None:
    path = fleet.stdout.readline().strip() if fleet.stdout else ""
    if not path:
        raise FksError("the simulated services did not start; see the message above")
    reread = partial(load, Path(path), os.environ)
    uvloop.run(serve(Run(reread(), settings, reread, ServiceManager(os.environ)), show))
