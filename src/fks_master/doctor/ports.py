"""Where we would listen."""

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

from fks_master.api.server import listen
from fks_master.doctor.finding import Finding, error, fine
from fks_master.doctor.patient import Patient
from fks_master.errors import ListenError

PORT = "port"
SECONDS = 2.0


async def look_at_port(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings is None:
        return
    try:
        listen(settings.host, settings.port).close()
    except ListenError as trouble:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - asks there
        status = await asyncio.to_thread(_ask, host, settings.port)
        if status == "healthy":
            yield fine(PORT, f"an FKS Master runs on {settings.port} already, and is well")
        elif status is not None:
            advice = f"ask http://{host}:{settings.port}/health why"
            yield error(PORT, f"an FKS Master runs on {settings.port}, and is not well", advice)
        else:
            yield error(PORT, str(trouble), "stop the other program, or set FKS_MASTER_PORT")
    else:
        yield fine(PORT, f"{settings.host}, port {settings.port} is free")


def _ask(host: str, port: int) -> str | None:
    """Return the `status` of the FKS Master that answers there, encrypted or not; None: it is another program."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # only to tell who it is
    for scheme in ("http", "https"):
        try:
            address = f"{scheme}://{host}:{port}/health"
            with urllib.request.urlopen(address, timeout=SECONDS, context=trust) as answer:  # noqa: S310
                return _status(answer.read(4096))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return _status(refusal.read(4096))
        except (OSError, ValueError):
            continue
    return None


def _status(body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    is_ours = isinstance(found, dict) and found.get("service") == "fks_master"
    return str(found.get("status")) if is_ours else None
