"""What was written down: config and environment, and who is let in by it."""

import ipaddress
from collections.abc import AsyncIterator

from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient

CONFIG = "config"
ENVIRONMENT = "environment"
ACCESS = "access"


async def look_at_config(patient: Patient) -> AsyncIterator[Finding]:
    for mistakes in patient.mistakes:
        if mistakes.source != ENVIRONMENT:
            for mistake in mistakes.mistakes:
                yield error(CONFIG, f"{mistakes.source}: {mistake}", "mend it, then: fks_master validate")
    config = patient.config
    if config is None:
        return
    if config.source is None:
        advice = "write config/monitor.toml, or name another file by --config or FKS_MONITOR_CONFIG"
        yield warning(CONFIG, "there is no config/monitor.toml: the built-in FKS services are watched", advice)
    elif not config.services and not config.discovery.enabled:
        yield warning(CONFIG, f"{config.source}: no service is watched", "add [[services]] with id and health_endpoint")
    else:
        yield fine(CONFIG, f"{config.source}: no mistakes, {len(config.services)} services")


async def look_at_environment(patient: Patient) -> AsyncIterator[Finding]:
    for mistakes in patient.mistakes:
        if mistakes.source == ENVIRONMENT:
            for mistake in mistakes.mistakes:
                yield error(ENVIRONMENT, mistake, "set the variable as expected, or leave it out")
    if patient.settings is not None:
        yield fine(ENVIRONMENT, "no mistakes")


async def look_at_access(patient: Patient) -> AsyncIterator[Finding]:
    config, settings = patient.config, patient.settings
    if config is None or settings is None:
        return
    if not config.control.enabled:
        yield fine(ACCESS, "nothing can be changed: control is off")
    elif settings.api_key or settings.ws_jwt_secret or config.api_keys:
        yield fine(ACCESS, "changes need a credential")
    elif _is_only_for_us(settings.host):
        yield fine(ACCESS, f"open, but only this machine reaches {settings.host}")
    else:
        message = f"open: whoever reaches {settings.host} from a private network may restart services"
        yield warning(ACCESS, message, "set FKS_MONITOR_API_KEY, or listen on 127.0.0.1")


def _is_only_for_us(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
