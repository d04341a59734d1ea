"""`fks_master import`: a config made from another monitor's."""

import os
from pathlib import Path

import click

from fks_master.config.load import check
from fks_master.errors import ConfigError
from fks_master.imports import gatus as gatus_import
from fks_master.imports import kuma_database
from fks_master.imports import uptime_kuma as kuma_import
from fks_master.imports.draft import Draft
from fks_master.words import counted

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
      fks_master import uptime-kuma kuma.db -o monitor.toml
      fks_master import uptime-kuma Uptime_Kuma_Backup.json -o monitor.toml
      fks_master import gatus config.yaml -o monitor.toml
    """  # noqa: D301


@importing.command("uptime-kuma")
@source
@output
def uptime_kuma(file: Path, output: Path | None) -> None:
    """Read FILE: Uptime Kuma's kuma.db, a backup of version 1 in JSON, or the list of monitors that its API gives."""
    content = _content(file)
    if content.startswith(kuma_database.MAGIC):
        draft = kuma_import.draft_of(kuma_database.read(file), "the database of Uptime Kuma")
    else:
        draft = kuma_import.read(_text(file, content))
    _carry_over(draft, output)


@importing.command("gatus")
@source
@output
def gatus(file: Path, output: Path | None) -> None:
    """Read FILE, a configuration of Gatus in YAML."""
    _carry_over(gatus_import.read(_text(file, _content(file))), output)


def _content(file: Path) -> bytes:
    """Read the file, of a database no more than the beginning."""
    try:
        with file.open("rb") as stream:
            head = stream.read(len(kuma_database.MAGIC))
            return head if head == kuma_database.MAGIC else head + stream.read()
    except OSError as error:
        raise ConfigError(str(file), [f"cannot be read: {error.strerror}"]) from error


def _text(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), ["cannot be read: not UTF-8"]) from error


def _carry_over(draft: Draft, output: Path | None) -> None:
    text = draft.text()
    check(text.encode(), "what was made of it")
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(text, output)
    for remark in draft.remarks:
        click.secho(f"  {remark}", fg="yellow", err=True)
    services = counted(len(draft.service_names), "service")
    receivers = counted(len(draft.receiver_names), "receiver")
    click.echo(f"{services}, {receivers}; {counted(len(draft.remarks), 'remark')}", err=True)


def _write(text: str, path: Path) -> None:
    """Write a new file for us alone: addresses of receivers and headers are secrets."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
