"""`fks_master keys`: API keys of several people and machines, each with its own scope and end."""

import secrets
from datetime import datetime, timedelta

import click

from fks_master.api.auth import fingerprint
from fks_master.clock import SystemClock
from fks_master.config.schema import Scope

PREFIX = "fks_"
UNITS = {"h": 1, "d": 24, "w": 168}


@click.group()
def keys() -> None:
    """Make API keys for `[[api_keys]]` in the config."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.READ.value,
    show_default=True,
    help="What it may do; operate includes read, and admin both.",
)
@click.option("--expires", metavar="AGE", help="When it ends, such as 12h, 90d or 52w [never].")
def new(name: str, scope: str, expires: str | None) -> None:
    """Make a key called NAME. It is shown once; the config keeps only its SHA-256.

    \b
    Examples:
      fks_master keys new grafana
      fks_master keys new deploy --scope operate --expires 90d
    """  # noqa: D301
    key = PREFIX + secrets.token_urlsafe(32)
    lines = [f'name = "{_checked(name)}"', f'hash = "{fingerprint(key)}"', f'scope = "{scope}"']
    if expires:
        lines.append(f'expires = "{_end(expires):%Y-%m-%dT%H:%M:%SZ}"')
    click.secho("The key, which is shown only now:", err=True)
    click.echo(key)
    click.secho("\nAdd this to the config; a running monitor takes it up by itself:\n", err=True)
    click.echo("[[api_keys]]\n" + "\n".join(lines), err=True)


def _checked(name: str) -> str:
    if not name or len(name) > 100 or not all(one.isalnum() or one in "-_." for one in name):
        raise click.BadParameter("expected letters, digits, - _ and . alone", param_hint="NAME")
    return name


def _end(age: str) -> datetime:
    number, unit = age[:-1], age[-1:]
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 6 and unit in UNITS):
        raise click.BadParameter("expected a number and h, d or w, such as 90d", param_hint="--expires")
    return SystemClock().now() + timedelta(hours=int(number) * UNITS[unit])
