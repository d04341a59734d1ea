"""All looks, one after the other, each behind a deadline: none can hang or end the examination."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from fks_master.doctor import container, machine, names, ports, receivers, storage, tls
from fks_master.doctor.finding import Finding, Look, error
from fks_master.doctor.patient import Patient

SECONDS = 20.0

LOOKS: Mapping[str, Look] = {
    "config": names.look_at_config,
    "environment": names.look_at_environment,
    "access": names.look_at_access,
    "port": ports.look_at_port,
    "tls": tls.look,
    "docker": container.look_at_engine,
    "compose": container.look_at_compose,
    "database": storage.look_at_database,
    "disk": storage.look_at_disk,
    "receivers": receivers.look,
    "clock": machine.look_at_clock,
    "limits": machine.look_at_limits,
    "systemd": machine.look_at_systemd,
}


async def examine(
    patient: Patient, looks: Mapping[str, Look] = LOOKS, seconds: float = SECONDS
) -> AsyncIterator[Finding]:
    """Give the findings as they come."""
    for about, look in looks.items():
        try:
            async with asyncio.timeout(seconds):
                found = [finding async for finding in look(patient)]
        except TimeoutError:
            found = [error(about, f"no answer within {seconds:g} s", "see whether what it asks hangs, and try again")]
        except Exception as trouble:  # noqa: BLE001 - one look that fails must not hide the others
            found = [error(about, f"could not be looked at: {trouble!r}", "report this as a bug of FKS Master")]
        for finding in found:
            yield finding
