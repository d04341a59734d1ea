"""The commands, each imported only when it is used, and `serve` where none is named."""

import difflib
import importlib
from collections.abc import Iterator

import click

from fks_master import __version__
from fks_master.errors import FksError

# name → module: each holds a click command of the same name.
COMMANDS = {
    name: f"fks_master.cli.{name}"
    for name in (
        "serve",
        "demo",
        "check",
        "validate",
        "doctor",
        "status",
        "restart",
        "start",
        "stop",
        "logs",
        "events",
        "jobs",
        "alerts",
        "compose",
        "keys",
        "db",
        "migrate",
        "export",
    )
} | {"import": "fks_master.cli.importing"}
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal
MEANT = {"-h", "--help", "--version"}


class Commands(click.Group):
    """Loads a command when it is asked for; an error that we raise on purpose ends in its message and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), module.rpartition(".")[2])
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}{meant}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in MEANT):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FksError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except KeyboardInterrupt:  # the end of what is followed, no mishap
            ctx.exit(INTERRUPTED)
        except ExceptionGroup as group:
            if group.split(FksError)[1] is not None:
                raise
            click.echo("\n".join(dict.fromkeys(_messages(group))), err=True)
            ctx.exit(1)


def _messages(group: BaseExceptionGroup) -> Iterator[str]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _messages(error)
        else:
            yield str(error)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fks_master")
def main() -> None:
    """Watch and control the services of a Docker/Compose system.

    \b
    Examples:
      fks_master                          watch what config/monitor.toml names
      fks_master demo                     see it at work on simulated services
      fks_master check http://db:80/up    one check, with the timing of each phase
      fks_master validate my.toml         what is wrong with a config file
      fks_master status                   what a running monitor sees
      fks_master logs fks_api -f          follow a service's logs
      fks_master events -f                what happens, as it happens

    Without a command: serve.
    """  # noqa: D301 - \b is click's mark for a paragraph to leave as it is
