"""What restart, start and stop have in common: one service after the other, through a running monitor."""

from pathlib import Path
from typing import Any

import click
import msgspec

from fks_master.cli import client

SECONDS = 660.0  # a container may take ten minutes to end
DONE = {"restart": ("restarting", "restarted"), "start": ("starting", "started"), "stop": ("stopping", "stopped")}


def act(action: str, services: tuple[str, ...], url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Do it to each; the first that fails ends it with a ClientError, an unknown name before anything is done."""
    monitor = client.Client(url, key_file)
    paths = {name: monitor.service(name) for name in services}
    doing, done = DONE[action]
    answers: list[Any] = []
    for name, path in paths.items():
        if not as_json:
            click.echo(f"{name}: {doing}", err=True)
        answers.append(monitor.get(f"{path}/{action}", "POST", seconds=SECONDS))
        if not as_json:
            click.secho(f"{name}: {done}", fg="green")
    if as_json:
        click.echo(msgspec.json.encode(answers).decode())
