"""Options that several commands share."""

import os
from pathlib import Path

import click
import msgspec

from fks_master.config.environment import Settings, read_environment

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config file [FKS_MONITOR_CONFIG, else config/monitor.toml].",
)
host = click.option("--host", help="The address to listen on [FKS_MASTER_HOST, else 127.0.0.1].")
port = click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0: any free one [FKS_MASTER_PORT, else 9090]."
)


def settings(host: str | None, port: int | None) -> Settings:
    """Read the environment; what a flag says beats it."""
    said = {"host": host, "port": port}
    return msgspec.structs.replace(
        read_environment(os.environ), **{name: value for name, value in said.items() if value is not None}
    )
