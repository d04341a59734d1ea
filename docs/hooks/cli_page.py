"""Every command, as it explains itself."""

from collections.abc import Iterator

import click

from fks_master.cli import main

HEAD = """# Command line

Each command explains itself with `--help`; this is what they say. `fks-master` and `python -m fks_master` are the same program.

"""
WIDTH = 100


def write() -> str:
    return HEAD + "\n".join(_commands(main, click.Context(main, info_name="fks_master"), 2))


def _commands(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    context.terminal_width = context.max_content_width = WIDTH
    yield f"{'#' * level} `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _commands(inner, click.Context(inner, info_name=name, parent=context), level + 1)
