"""Who is told: whether each can be reached, without telling anything."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from fks_master.alerts.addresses import is_forbidden
from fks_master.alerts.notice import Cause, Notice, Severity
from fks_master.alerts.notify import KINDS, Mail, Message, Push, Receiver
from fks_master.config.alerting import options_of
from fks_master.config.receivers import content
from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient
from fks_master.model import EventType

RECEIVERS = "receivers"
SECONDS = 5.0


async def look(patient: Patient) -> AsyncIterator[Finding]:
    config = patient.config
    if config is None:
        return
    if not config.alerts.enable_notifications:
        yield warning(RECEIVERS, "notifications are off", "[alerts] enable_notifications = true")
        return
    receivers = options_of(config).receivers
    if not receivers:
        yield warning(RECEIVERS, "nobody is told of anything", "set [alerts] webhook_url, or add [[alerts.receivers]]")
    for finding in await asyncio.gather(*(_look_at(patient, one) for one in receivers)):
        yield finding
    if heartbeat := config.alerts.heartbeat_url or content(config.alerts.heartbeat_url_file):
        yield await _reach("heartbeat_url", *_place_of(heartbeat))


async def _look_at(patient: Patient, receiver: Receiver) -> Finding:
    try:
        place = _place(_message(patient, receiver))
    except Exception as trouble:  # noqa: BLE001 - templates are the user's
        return error(RECEIVERS, f"{receiver.name}: cannot be written: {type(trouble).__name__}", "correct its template")
    if place is None:
        return fine(RECEIVERS, f"{receiver.name}: only a test can tell: fks_master alerts test {receiver.name}")
    return await _reach(receiver.name, *place)


async def _reach(name: str, host: str, port: int) -> Finding:
    """Connect, and say nothing."""
    try:
        async with asyncio.timeout(SECONDS), AsyncExitStack() as stack:
            _, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.close)
            address = str(writer.get_extra_info("peername")[0])
    except (OSError, TimeoutError, UnicodeError) as trouble:
        code = trouble.errno if isinstance(trouble, OSError) else None
        reason = os.strerror(code) if code and code > 0 else getattr(trouble, "strerror", None) or "no answer"
        advice = "see whether name, port, firewall and proxy are right; what cannot be told waits and is tried again"
        return error(RECEIVERS, f"{name}: {host}, port {port}: {reason}", advice)
    if is_forbidden(address):
        return error(RECEIVERS, f"{name}: {host} is a cloud's metadata address", "nothing is ever sent there")
    return fine(RECEIVERS, f"{name}: {host}, port {port} can be reached")


def _message(patient: Patient, receiver: Receiver) -> Message:
    now = patient.clock.now()
    notice = Notice(
        "doctor", EventType.SYSTEM_ALERT.value, None, None, "a look", now, severity=Severity.INFO, cause=Cause.TEST
    )
    return KINDS[receiver.kind].render(receiver, [notice], now)


def _place(message: Message) -> tuple[str, int] | None:
    """Return where a message would go; None where only the carrier knows."""
    if isinstance(message, Push):
        return None
    if isinstance(message, Mail):
        return message.host, message.port
    return _place_of(message.url)


def _place_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
