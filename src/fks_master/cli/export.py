"""`fks_master export`: alert rules for Prometheus and dashboards for Grafana, fitted to a config."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from fks_master.cli import options
from fks_master.config import Config, load
from fks_master.exports import grafana, rules
from fks_master.exports.grafana import Dashboard

general = click.option("--general", is_flag=True, help="For whatever services there are, not for those of a config.")


def output(text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=text)


@click.group()
def export() -> None:
    """Write what Prometheus and Grafana need, with the services and thresholds of the config.

    \b
    Examples:
      fks_master export prometheus-rules -o rules.yml
      fks_master export grafana -o dashboards/
      fks_master export grafana fleet --general
    """  # noqa: D301


@export.command("prometheus-rules")
@options.config
@general
@output("The file to write [standard output].")
def prometheus_rules(config: Path | None, output: Path | None, *, general: bool) -> None:
    """Write alert rules for Prometheus.

    A service counts as down there after as many failed checks as here: `for` follows from its interval and
    `consecutive_failures_threshold`.
    """
    _give(rules.write(_config(config, is_general=general)), output)


@export.command("grafana")
@click.argument("dashboard", required=False, type=click.Choice([each.value for each in Dashboard]))
@options.config
@general
@output("The file to write [standard output]; for all three, the folder.")
def grafana_dashboards(dashboard: str | None, config: Path | None, output: Path | None, *, general: bool) -> None:
    """Write a DASHBOARD for Grafana, or all three into a folder."""
    found = _config(config, is_general=general)
    if dashboard:
        _give(grafana.write(Dashboard(dashboard), found), output)
        return
    if output is None:
        raise click.UsageError("name a dashboard, or a folder for all three with --output")
    output.mkdir(parents=True, exist_ok=True)
    for each in Dashboard:
        _give(grafana.write(each, found), output / f"{each}.json")


def _config(path: Path | None, *, is_general: bool) -> Config | None:
    return None if is_general else load(path, os.environ)


def _give(text: str, path: Path | None) -> None:
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "") from error
    click.echo(str(path), err=True)
