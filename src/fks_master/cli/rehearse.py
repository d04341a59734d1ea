"""`fks_master alerts check`: rehearses alerts."""

from pathlib import Path

import click


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
