"""The command line: one file a command."""

from fks_master.cli.main import main

__all__ = ["main"]
