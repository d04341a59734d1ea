"""`fks_master import`: a config made from another monitor's."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from fks_master.config.load import check
from fks_master.errors import ConfigError
from fks_master.imports import gatus as gatus_import
from fks_master.imports import uptime_kuma as kuma_import
from fks_master.imports.draft import Draft

output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write, which must not be there [standard output].",
)
source = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group("import")
def importing() -> None:
    """Make a config from that of another monitor. What could not be carried over is said, and stands in it as comments.

    \b
    Examples:
      fks_master import uptime-kuma Uptime_Kuma_Backup.json -o monitor.toml
      fks_master import gatus config.yaml -o monitor.toml
    """  # noqa: D301


@importing.command("uptime-kuma")
@source
@output
def uptime_kuma(file: Path, output: Path | None) -> None:
    """Read FILE, a backup of Uptime Kuma in JSON, or the list of monitors that its API gives."""
    _carry_over(file, output, kuma_import.read)


@importing.command("gatus")
@source
@output
def gatus(file: Path, output: Path | None) -> None:
    """Read FILE, a configuration of Gatus in YAML."""
    _carry_over(file, output, gatus_import.read)


def _carry_over(file: Path, output: Path | None, read: Callable[[str], Draft]) -> None:
    try:
        draft = read(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), [f"cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"]) from error
    text = draft.text()
    check(text.encode(), "what was made of it")
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(text, output)
    for remark in draft.remarks:
        click.secho(f"  {remark}", fg="yellow", err=True)
    click.echo(f"{len(draft.service_names)} services, {len(draft.receiver_names)} receivers; "
               f"{len(draft.remarks)} remarks", err=True)  # fmt: skip


def _write(text: str, path: Path) -> None:
    """Write a new file for us alone: addresses of receivers and headers are secrets."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
