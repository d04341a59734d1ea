"""`fks_master compose`: one Compose action from the terminal, with the rules that the monitor keeps to.

Roots do not count here: whoever sits at the terminal has the rights that they have.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import msgspec

from fks_master.cli import options
from fks_master.config.load import load
from fks_master.control.compose import Outcome, Preparer
from fks_master.control.planning import Prepared
from fks_master.docker.compose.cli import ComposeCli
from fks_master.docker.compose.command import command
from fks_master.docker.compose.environment import minimal
from fks_master.docker.compose.files import Roots
from fks_master.docker.compose.request import Action, Body, Request, check
from fks_master.docker.ourselves import Ourselves, find_our_id


@click.command()
@click.argument("action", type=click.Choice([action.value for action in Action], case_sensitive=False))
@click.argument("services", nargs=-1)
@click.option("-f", "--file", "files", multiple=True, help="The Compose file; more than once to combine several.")
@click.option("-p", "--project", help="The project [the file's name for it, else its folder].")
@click.option("-d", "--detach", is_flag=True, help="up: leave it running; logs: follow.")
@click.option("--tail", help="logs: only the last lines of each container.")
@click.option("--profile", "profiles", multiple=True, help="Enable a profile.")
@click.option("--env-file", "env_files", multiple=True, help="Read variables from this file.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("-y", "--yes", is_flag=True, help="down: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@options.config
@click.pass_context
def compose(context: click.Context, /, **given: object) -> None:
    """Run one Compose ACTION for a project, or only some SERVICES of it, and exit with its code.

    \b
    Examples:
      fks_master compose up -d                    bring up what docker-compose.yml here describes
      fks_master compose up --dry-run             what that would change
      fks_master compose restart fks_api -p fks   one service
      fks_master compose logs -d --tail 50 -p fks follow the logs
      fks_master compose down -p fks              asks first, and says what it removes
    """  # noqa: D301
    said = msgspec.convert(given, _Given)
    preparer = _preparer(said)
    request = _request(said)
    if said.dry_run:
        context.exit(_show(asyncio.run(preparer.plan(request)), as_json=said.as_json))
    prepared = asyncio.run(preparer.prepare(request))
    if request.action is Action.DOWN and not said.yes:
        _ask(prepared, asyncio.run(preparer.plan(request)))
    context.exit(_run(prepared, preparer, as_json=said.as_json))


class _Given(msgspec.Struct, frozen=True):
    """The arguments as click hands them over."""

    action: str
    services: tuple[str, ...]
    files: tuple[str, ...]
    project: str | None
    detach: bool
    tail: str | None
    profiles: tuple[str, ...]
    env_files: tuple[str, ...]
    dry_run: bool
    yes: bool
    as_json: bool
    config: Path | None


def _preparer(said: _Given) -> Preparer:
    passed = load(said.config, os.environ).compose.environment
    ourselves = Ourselves(find_our_id(), os.environ.get("DOCKER_HOST", ""))
    return Preparer(ComposeCli(minimal(os.environ, passed)), Roots([Path.cwd(), Path("/")]), ourselves)


def _request(said: _Given) -> Request:
    return check(
        Body(
            action=said.action,
            services=list(said.services),
            file=list(said.files),
            project=said.project,
            detach=said.detach,
            tail=said.tail,
            dry_run=said.dry_run,
            profiles=list(said.profiles),
            env_file=list(said.env_files),
        )
    )


def _ask(prepared: Prepared, plan: Outcome) -> None:
    """Name what goes, and go on only after a yes."""
    gone = [f"  {step.kind} {step.name}" for step in plan.plan or () if step.verb == "remove"]
    if not gone:
        return
    click.echo(f"This removes from project {prepared.project.name}:\n" + "\n".join(gone), err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked; say --yes")
    click.confirm("Remove them?", abort=True, err=True)


def _run(prepared: Prepared, preparer: Preparer, *, as_json: bool) -> int:
    """Run it on this terminal, or keep its output for the JSON."""
    is_shown = not as_json and sys.stdout.isatty()
    kept = None if not as_json else subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - the arguments are checked, there is no shell
        command(prepared.project, prepared.request, preparer.cli.docker, is_on_terminal=is_shown),
        cwd=prepared.project.folder,
        env={**preparer.cli.environment, **(_of_the_terminal() if is_shown else {})},
        stdin=subprocess.DEVNULL,
        stdout=kept,
        stderr=kept,
    ) as done:
        _leave_the_end_to(done)
        stdout, stderr = done.communicate()
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    if as_json:
        outcome = Outcome(
            action=prepared.request.action,
            services=prepared.request.services,
            success=code == 0,
            status_code=code,
            stdout=stdout.decode("utf-8", "replace"),
            stderr=stderr.decode("utf-8", "replace"),
            project=prepared.project.name,
        )
        _show(outcome, as_json=True)
    return code


def _of_the_terminal() -> dict[str, str]:
    """Let Compose show its progress as it does by itself."""
    return {"TERM": os.environ.get("TERM", "dumb"), "BUILDKIT_PROGRESS": "auto"}


def _leave_the_end_to(child: "subprocess.Popen[bytes]") -> None:
    """Let Compose end its work in its own way: Ctrl-C reaches it from the terminal, other signals through us."""

    def pass_on(number: int, _: object) -> None:
        child.send_signal(number)

    has_terminal = any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    signal.signal(signal.SIGINT, (lambda *_: None) if has_terminal else pass_on)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)


def _show(outcome: Outcome, *, as_json: bool) -> int:
    if as_json:
        click.echo(msgspec.json.encode(outcome))
    else:
        click.echo(outcome.stdout, nl=False)
        click.echo(outcome.stderr, nl=False, err=True)
    return 0 if outcome.success else outcome.status_code or 1
