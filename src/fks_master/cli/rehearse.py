"""`fks_master alerts check` and `replay`: rehearse alerts."""

import os
from datetime import timedelta
from pathlib import Path

import click

from fks_master.cli import options

LONGEST = timedelta(days=90)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Play the time lines in FILES in virtual time and show what would be sent when; exit 1 if not what they expect.

    \b
    Examples:
      fks_master alerts check night.yaml
      fks_master alerts check tests/alerts/*.yaml
    """  # noqa: D301
    from fks_master.rehearsal import Stage, compare, read  # noqa: PLC0415 - clients of a monitor need none of it
    from fks_master.rehearsal.report import still_open  # noqa: PLC0415

    is_good = True
    for file in files:
        script = read(file)
        stage = Stage(script)
        report = compare(stage.play(), script.expected)
        is_good = is_good and report.is_good
        verdict = "" if script.expected is None else ": as expected" if report.is_good else ": NOT as expected"
        click.secho(f"{file}{verdict}", fg=None if report.is_good else "red")
        for line in report.lines:
            click.secho(f"  {line}", fg={"-": "red", "+": "yellow"}.get(line.mark))
        for said in still_open(stage.alerts):
            click.echo(f"    open at the end: {said}")
    raise SystemExit(0 if is_good else 1)


@click.command()
@click.option("--since", default="1d", show_default=True, help="How far back: 90m, 12h, 7d.")
@options.config
def replay(since: str, config: Path | None) -> None:
    """Play what was recorded through the config as it is now, and show what would be sent when. Nobody is told.

    \b
    Examples:
      fks_master alerts replay --since 7d
      fks_master alerts replay --since 12h --config next.toml
    """  # noqa: D301
    from fks_master.cli.db import history_file  # noqa: PLC0415 - as above
    from fks_master.clock import SystemClock  # noqa: PLC0415
    from fks_master.config.load import load  # noqa: PLC0415
    from fks_master.rehearsal import Stage, compare, read_recorded  # noqa: PLC0415
    from fks_master.rehearsal.script import parse_duration  # noqa: PLC0415

    try:
        back = parse_duration(since)
    except ValueError as error:
        raise click.UsageError(f"--since {since}: expected {error}") from error
    if not timedelta() < back <= LONGEST:
        raise click.UsageError(f"--since {since}: expected at most {LONGEST.days}d")
    until = SystemClock().now()
    script = read_recorded(history_file(config), load(config, os.environ), until - back, until)
    report = compare(Stage(script).play(), None, script.start)
    for line in report.lines:
        click.echo(line.text)
    click.echo(f"{len(report.lines)} notifications since {script.start:%Y-%m-%d %H:%M} UTC")
