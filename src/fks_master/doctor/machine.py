"""The machine itself: its clock, its limits, and what systemd knows of us."""

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient

CLOCK = "clock"
LIMITS = "limits"
SYSTEMD = "systemd"
UNIT = "fks_master.service"
SECONDS = 5.0
FILES_A_SERVICE = 2
FILES_BESIDES = 256


async def look_at_clock(patient: Patient) -> AsyncIterator[Finding]:
    now = patient.clock.now()
    if now < _installed_at():
        advice = "set the clock, and keep it by chrony or systemd-timesyncd: tokens and certificates depend on it"
        yield error(CLOCK, f"it is said to be {now:%Y-%m-%d %H:%M} UTC, before this program was installed", advice)
        return
    answer = await _said("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if answer == "no":
        advice = "keep it by chrony or systemd-timesyncd: timedatectl set-ntp true"
        yield warning(CLOCK, "nothing keeps this machine's clock right", advice)
    else:
        kept = "kept by NTP" if answer == "yes" else "whether something keeps it right cannot be told here"
        yield fine(CLOCK, f"{now:%Y-%m-%d %H:%M:%S} UTC, {kept}")


def _installed_at() -> datetime:
    return datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)


async def look_at_limits(patient: Patient) -> AsyncIterator[Finding]:
    services = len(patient.config.services) if patient.config else 0
    wanted = FILES_A_SERVICE * services + FILES_BESIDES
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        advice = f"raise it to {wanted}: LimitNOFILE= in the systemd unit, ulimits: in Compose, or ulimit -Hn"
        yield error(LIMITS, f"{hard} open files are too few for {services} services", advice)
    else:
        yield fine(LIMITS, f"{'any number of' if hard == resource.RLIM_INFINITY else hard} open files are allowed")


async def look_at_systemd(_: Patient) -> AsyncIterator[Finding]:
    properties = "--property=LoadState,ActiveState,UnitFileState,Type,WatchdogUSec"
    answer = await _said("systemctl", "show", UNIT, properties)
    facts = dict(line.split("=", 1) for line in (answer or "").splitlines() if "=" in line)
    if facts.get("LoadState") != "loaded":
        if facts:
            yield fine(SYSTEMD, f"there is no {UNIT}")
        return
    if facts.get("ActiveState") == "failed":
        yield error(SYSTEMD, f"{UNIT} has failed", f"journalctl --unit {UNIT} --lines 50")
    if facts.get("UnitFileState") == "disabled":
        yield warning(SYSTEMD, f"{UNIT} will not start with the machine", f"systemctl enable {UNIT}")
    if facts.get("Type") != "notify" or facts.get("WatchdogUSec") in {"0", "infinity"}:
        advice = "take deploy/systemd/fks_master.service: Type=notify, WatchdogSec=60"
        yield warning(SYSTEMD, f"{UNIT} would not notice a monitor that hangs", advice)
    if facts.get("ActiveState") == "active":
        yield fine(SYSTEMD, f"{UNIT} is active")


async def _said(program: str, *arguments: str) -> str | None:
    """Return what a program prints; None where it is not there or fails."""
    path = shutil.which(program)
    if path is None:
        return None
    process = await asyncio.create_subprocess_exec(
        path,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return output.decode(errors="replace").strip() if process.returncode == 0 else None
