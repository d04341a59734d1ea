"""`fks_master doctor`: whether everything that the monitor stands on is as it should be."""

import asyncio
import os
from pathlib import Path

import click
import msgspec

from fks_master.cli import options
from fks_master.doctor import Finding, Level, admit, examine

MARKS = {Level.OK: ("●", "green"), Level.WARNING: ("▲", "yellow"), Level.ERROR: ("■", "red")}


@click.command()
@options.config
@options.host
@options.port
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def doctor(config: Path | None, host: str | None, port: int | None, *, as_json: bool) -> None:
    """Look over config, access, port, TLS, Docker, Compose, database, disk, receivers, clock, limits and systemd.

    \b
    Examples:
      fks_master doctor
      fks_master doctor --config /etc/fks_master/monitor.toml --json

    Nothing is changed and nobody is told. Run it as the user, in the folder and with the environment of the monitor.
    Exit code 1 if something is in the way.
    """  # noqa: D301
    said = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    findings = asyncio.run(_findings(config, said, as_json=as_json))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"findings": findings}), indent=2))
    raise SystemExit(int(any(finding.level is Level.ERROR for finding in findings)))


async def _findings(config: Path | None, said: dict[str, str | int], *, as_json: bool) -> list[Finding]:
    findings = []
    async for finding in examine(admit(config, os.environ, **said)):
        findings.append(finding)
        if not as_json:
            _show(finding)
    return findings


def _show(finding: Finding) -> None:
    mark, colour = MARKS[finding.level]
    click.echo(f"{click.style(mark, fg=colour)} {click.style(f'{finding.about:<11}', dim=True)} {finding.message}")
    if finding.advice:
        click.echo(f"  {'':<11} → {finding.advice}")
