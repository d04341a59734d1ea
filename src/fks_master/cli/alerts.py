"""`fks_master alerts`: what is wrong, who has it in hand, what is muted, and whether receivers work."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import msgspec

from fks_master.cli import client, maintenance, rehearse
from fks_master.cli.durations import seconds_of

F = TypeVar("F", bound=Callable[..., object])
COLOURS = {"critical": "red", "warning": "yellow", "info": "white"}


def machine(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="The monitor's answer as JSON.")(command)


@click.group()
def alerts() -> None:
    """List, acknowledge and silence alerts; list rules; test a receiver; rehearse.

    \b
    Examples:
      fks_master alerts list
      fks_master alerts rules
      fks_master alerts ack ServiceDown:fks_api
      fks_master alerts silence service_id=fks_api --for 2h --comment "moving the disk"
      fks_master alerts test ops
      fks_master alerts check night.yaml
    """  # noqa: D301


@alerts.command("list")
@client.options
@machine
def list_(url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Show the open alerts, the gravest first, and the silences that last; exit 1 if an alert is open."""
    monitor = client.Client(url, key_file)
    found, silences = monitor.get("/api/alerts"), monitor.get("/api/silences")
    if as_json:
        click.echo(msgspec.json.encode({"alerts": found, "silences": silences}).decode())
    else:
        for one in found:
            click.echo(_alert(one))
        for one in silences:
            click.echo(_silence(one))
        click.echo("no alerts" if not found else f"{len(found)} open")
    raise SystemExit(int(bool(found)))


@alerts.command()
@client.options
@machine
def rules(url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Show the rules in force, and of whom they hold or are about to be said."""
    found = client.Client(url, key_file).get("/api/alerts/rules")
    _say(found, [line for one in found for line in _rule(one)], as_json=as_json)


@alerts.command()
@click.argument("ids", nargs=-1, required=True)
@click.option("--by", default="", help="Who has it in hand [the name of the key].")
@client.options
@machine
def ack(ids: tuple[str, ...], by: str, url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Say that somebody has the alerts IDS in hand: they are neither repeated nor escalated."""
    monitor = client.Client(url, key_file)
    done = [monitor.get(f"/api/alerts/{quote(one, safe='')}/acknowledge", "POST", {"by": by}) for one in ids]
    _say(done, [f"{one['id']}: in hand of {one['acknowledged_by']}" for one in done], as_json=as_json)


@alerts.command()
@click.argument("matchers", nargs=-1, required=True)
@click.option("--for", "duration", required=True, help="How long: 90s, 30m, 2h or 3d.")
@click.option("--comment", default="", help="Why.")
@click.option("--author", default="", help="Who [the name of the key].")
@client.options
@machine
def silence(matchers: tuple[str, ...], url: str | None, key_file: Path | None, *, as_json: bool, **said: str) -> None:
    """Mute the alerts that fit all MATCHERS: LABEL=PATTERN with * and ?, LABEL!=PATTERN, LABEL=~REGEX, LABEL!~REGEX.

    \b
    Examples:
      fks_master alerts silence 'service_id=~fks_(api|web)' 'severity!=critical' --for 2h
      fks_master alerts silence service_id=fks_w* --for 30m
      fks_master alerts silence team=web severity=warning --for 1d --comment "known"
    """  # noqa: D301
    body = {
        "matchers": dict(_matcher(one) for one in matchers if _is_plain(one)),
        "where": [one for one in matchers if not _is_plain(one)],
        "duration_seconds": seconds_of(said["duration"]),
        "comment": said["comment"],
        "author": said["author"],
    }
    made = client.Client(url, key_file).get("/api/silences", "POST", body)
    _say(made, [_silence(made)], as_json=as_json)


@alerts.command()
@click.argument("ids", nargs=-1, required=True)
@client.options
@machine
def unsilence(ids: tuple[str, ...], url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """End the silences IDS now."""
    monitor = client.Client(url, key_file)
    for one in ids:
        monitor.get(f"/api/silences/{quote(one, safe='')}", "DELETE")
    _say({"ended": ids}, [f"{one}: ended" for one in ids], as_json=as_json)


@alerts.command()
@click.argument("receiver")
@client.options
@machine
def test(receiver: str, url: str | None, key_file: Path | None, *, as_json: bool) -> None:
    """Send a harmless notification to RECEIVER now; exit 1 unless it is taken."""
    found = client.Client(url, key_file).get(f"/api/receivers/{quote(receiver, safe='')}/test", "POST")
    word = "taken" if found["success"] else "refused" if found["verdict"] == "refused" else "failed"
    _say(found, [f"{receiver}: {word}: {client.printable(found['answer'])}"], as_json=as_json)
    raise SystemExit(0 if found["success"] else 1)


alerts.add_command(rehearse.check)
alerts.add_command(maintenance.maintenance)
alerts.add_command(rehearse.replay)


def _say(found: object, lines: list[str], *, as_json: bool) -> None:
    for line in [msgspec.json.encode(found).decode()] if as_json else lines:
        click.echo(line)


def _alert(one: Mapping[str, Any]) -> str:
    why = f" ({one['muted']})" if one["muted"] else f" (by {one['acknowledged_by']})" if one["acknowledged_by"] else ""
    state = click.style(f"{one['severity']:<8}", fg=COLOURS.get(one["severity"]))
    return f"{state} {client.printable(one['id'])}  {client.printable(one['message'])}  {one['state']}{why}"


def _rule(one: Mapping[str, Any]) -> Iterator[str]:
    lasting = f", for {one['for_seconds']:g} s" if one["for_seconds"] else ""
    whom = ", ".join([*one["services"], *one["where"]])
    state = click.style(f"{one['state']:<8}", fg={"firing": "red", "pending": "yellow"}.get(one["state"]))
    said = f"{one['condition']}{lasting}{f' ({whom})' if whom else ''}"
    yield f"{state} {client.printable(one['name'])}: {client.printable(said)}"
    for each in one["about"]:
        since = f" since {each['since']}" if each["since"] else ""
        who = each["service_id"] or each["subject"] or "monitor"
        yield f"           {each['state']}: {client.printable(who)}{since}: {client.printable(each['message'])}"


def _silence(one: Mapping[str, Any]) -> str:
    fits = ", ".join([*(f"{name}={pattern}" for name, pattern in one["matchers"].items()), *one.get("where", ())])
    comment = f": {one['comment']}" if one["comment"] else ""
    return client.printable(f"silence {one['id']} of {fits} until {one['ends']} by {one['author']}{comment}")


def _is_plain(text: str) -> bool:
    """Whether it is LABEL=PATTERN; what has another sign goes as it is."""
    return re.match(r"[^=!~]*(=~|!=|!~)", text) is None


def _matcher(text: str) -> tuple[str, str]:
    name, sign, pattern = text.partition("=")
    if not (name and sign):
        raise click.UsageError(f"{text}: expected LABEL=PATTERN, such as service_id=fks_api")
    return name, pattern
