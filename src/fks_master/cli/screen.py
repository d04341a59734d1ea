"""The one calm screen at the start: what is watched, where to look, what is open."""

import click

from fks_master import __version__
from fks_master.app import Started
from fks_master.words import counted


def show(started: Started) -> None:
    config = started.config
    critical = sum(service.critical for service in config.services)
    source = config.source or "the built-in FKS services (there is no config/monitor.toml)"
    lines = {
        "watching": f"{counted(len(config.services), 'service')}, {critical} of them critical, from {source}",
        "dashboard": started.address,
        "metrics": f"{started.address}/metrics",
        "access": _access(started.credentials, is_controlling=config.control.enabled),
    }
    click.secho(f"FKS Master {__version__}", bold=True, err=True)
    for name, value in lines.items():
        click.echo(f"  {click.style(f'{name:<10}', dim=True)} {value}", err=True)
    for warning in started.warnings:
        click.secho(f"  warning    {warning}", fg="yellow", err=True)


def _access(credentials: tuple[str, ...], *, is_controlling: bool) -> str:
    if not is_controlling:
        return "nothing can be changed (control is off)"
    if credentials:
        return f"changes need a credential ({' or '.join(credentials)})"
    return "OPEN: whoever reaches this address may restart services; set FKS_MONITOR_API_KEY to close it"
