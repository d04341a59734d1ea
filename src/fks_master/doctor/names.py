"""What was written down: config and environment, and who is let in by it."""

import ipaddress
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from fks_master.config.environment import misspelt
from fks_master.config.schema import Config
from fks_master.docker.ourselves import find_our_id, has_own_network
from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient
from fks_master.words import counted

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
        yield fine(CONFIG, f"{config.source}: no mistakes, {counted(len(config.services), 'service')}")
    for path, strange in _unknown_services(config):
        advice = "correct it, unless that service is found by its label"
        yield warning(CONFIG, f"{path}: the config has no service {strange}", advice)
    ids = [one.id for one in config.services if _is_only_for_us(urlsplit(one.health_endpoint).hostname or "")]
    if ids and find_our_id() is not None and has_own_network():
        message = f"{', '.join(ids[:5])}{' …' if ids[5:] else ''}: asked at localhost, which is this container itself"
        yield warning(
            CONFIG, message, 'name the Compose service or container instead, as in "http://fks_api:8000/health"'
        )


def _unknown_services(config: Config) -> Iterator[tuple[str, str]]:
    """Find the ids in `[alerts]` by which nobody is watched, as the config stands."""
    known = {service.id for service in config.services}
    for name in ("routes", "maintenance", "rules"):
        for index, entry in enumerate(getattr(config.alerts, name)):
            for strange in sorted(set(entry.services) - known):
                yield f"alerts.{name}[{index}].services", strange


async def look_at_environment(patient: Patient) -> AsyncIterator[Finding]:
    for mistakes in patient.mistakes:
        if mistakes.source == ENVIRONMENT:
            for mistake in mistakes.mistakes:
                yield error(ENVIRONMENT, mistake, "set the variable as expected, or leave it out")
    strange = misspelt(patient.environ)
    for each in strange:
        yield warning(ENVIRONMENT, each, "correct its name, or take it away")
    if patient.settings is not None and not strange:
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
