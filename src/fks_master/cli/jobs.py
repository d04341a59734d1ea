"""`fks_master jobs`: what Compose does and did, its output as it comes, and its end."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from fks_master.cli import client
from fks_master.clock import SystemClock

COLOURS = {"running": "cyan", "succeeded": "green", "failed": "red", "timed_out": "red", "interrupted": "yellow"}
SECONDS = 2.0


@click.command()
@click.argument("job", required=False)
@client.options
@click.option("-f", "--follow", is_flag=True, help="JOB's output as it comes, until it ends.")
@click.option("--output", is_flag=True, help="JOB's whole output so far.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Begin at this byte of the output.")
@click.option("--cancel", is_flag=True, help="End JOB, with everything that it started.")
@click.option("-w", "--watch", is_flag=True, help="Stay, and show the list anew every two seconds.")
@click.option("--json", "as_json", is_flag=True, help="The monitor's answer as JSON.")
def jobs(job: str | None, url: str | None, key_file: Path | None, **said: Any) -> None:  # noqa: ANN401 - as click hands over
    """List the jobs, the latest first; or show JOB; exit 1 if that failed.

    \b
    Examples:
      fks_master jobs
      fks_master jobs 1f0c9a7be2d34c55 --follow
      fks_master jobs 1f0c9a7be2d34c55 --cancel
      fks_master jobs --json | jq '.[0].state'
    """  # noqa: D301
    monitor = client.Client(url, key_file)
    if job is None:
        if said["follow"] or said["output"] or said["cancel"]:
            raise click.UsageError("which JOB? `fks_master jobs` lists them")
        _list(monitor, is_staying=said["watch"], as_json=said["as_json"])
        return
    path = f"/api/jobs/{quote(job, safe='')}"
    if said["cancel"]:
        monitor.get(f"{path}/cancel", "POST")
    if said["follow"] or said["output"]:
        monitor.pour(f"{path}/output?offset={said['offset']}&follow={str(said['follow']).lower()}")
    found = monitor.get(path)
    if said["as_json"]:
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(_line(found), err=said["follow"] or said["output"])
        if found["reason"]:
            click.echo(client.printable(found["reason"]), err=True)
    is_bad = found["state"] not in {"succeeded", "running"} and not said["cancel"]
    raise SystemExit(int(is_bad))


def _list(monitor: client.Client, *, is_staying: bool, as_json: bool) -> None:
    while True:
        found = monitor.get("/api/jobs")
        if is_staying and sys.stdout.isatty():
            click.clear()
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
        else:
            for one in found:
                click.echo(_line(one))
            click.echo(f"{sum(one['state'] == 'running' for one in found)} running, {len(found)} kept")
        if not is_staying:
            return
        asyncio.run(SystemClock().sleep(SECONDS))


def _line(one: Mapping[str, Any]) -> str:
    took = "" if one["duration_seconds"] is None else f"{one['duration_seconds']:.1f} s"
    what = " ".join([one["action"], "of", one["project"], *one["services"]])
    state = click.style(f"{one['state']:<11}", fg=COLOURS.get(one["state"]))
    return f"{one['id']}  {state}  {one['started_at'][:19].replace('T', ' ')}  {took:>9}  {client.printable(what)}"
