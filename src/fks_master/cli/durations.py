"""Durations as people write them on the command line."""

import re

import click

DURATION = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> float:
    """Read what `--for` says."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise click.UsageError(f"--for {text}: expected a duration such as 90s, 30m, 2h or 3d")
    return int(match[1]) * UNITS[match[2]]
