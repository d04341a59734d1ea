"""The commands and what they have in common."""

import click

from fks_master import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fks_master")
def main() -> None:
    """Watch and control the services of a Docker/Compose system."""
