"""The play: which service misbehaves when, again and again; and the config by which it is watched."""

import json
from collections.abc import Iterable, Sequence

from fks_master.config.builtin import FKS_SERVICES
from fks_master.config.schema import Entry
from fks_master.demo.behaviours import Behaviour

# Seconds since the curtain rose, the service, and how it behaves from then on. ROUND_SECONDS later it starts over.
SCRIPT: Sequence[tuple[float, str, Behaviour]] = (
    (0, "fks_training", Behaviour.DEGRADED),
    (8, "fks_worker", Behaviour.FLAP),
    (20, "fks_transformer", Behaviour.SLOW),
    (35, "fks_data", Behaviour.ERROR),
    (50, "fks_transformer", Behaviour.OK),
    (60, "fks_data", Behaviour.OK),
    (70, "fks_worker", Behaviour.OK),
    (80, "fks_web", Behaviour.REFUSE),
    (105, "fks_web", Behaviour.OK),
    (115, "fks_engine", Behaviour.HANG),
    (140, "fks_engine", Behaviour.OK),
    (150, "fks_config", Behaviour.UNHEALTHY),
    (170, "fks_config", Behaviour.OK),
    (175, "fks_auth", Behaviour.RESET),
    (195, "fks_auth", Behaviour.OK),
    (200, "fks_training", Behaviour.BAD_JSON),
    (215, "fks_training", Behaviour.HUGE),
    (230, "fks_training", Behaviour.DEGRADED),
)
ROUND_SECONDS = 240.0

NEEDS = {
    "fks_api": ["fks_auth", "fks_data"],
    "fks_engine": ["fks_data", "fks_config"],
    "fks_execution": ["fks_engine"],
    "fks_web": ["fks_api"],
    "fks_nginx": ["fks_web", "fks_api"],
}


def names(size: int) -> list[str]:
    """Name the services of a fleet: the eleven FKS services first, then as many others as it takes."""
    known = [entry.id for entry in FKS_SERVICES][:size]
    return known + [f"demo_{number:05}" for number in range(1, size - len(known) + 1)]


def config(addresses: dict[str, str], interval_seconds: float) -> str:
    """Write the config file that watches a fleet."""
    head = [
        "[history]",
        'url = "sqlite::memory:"',
        "[monitoring]",
        f"check_interval_seconds = {interval_seconds}",
        "timeout_seconds = 2",
        "retry_attempts = 2",
        "batch_size = 100",
    ]
    known = {entry.id: entry for entry in FKS_SERVICES}
    return "\n".join([*head, *_tables(addresses, known)]) + "\n"


def _tables(addresses: dict[str, str], known: dict[str, Entry]) -> Iterable[str]:
    for service_id, address in addresses.items():
        yield f"\n[[services]]\nid = {json.dumps(service_id)}\nhealth_endpoint = {json.dumps(address)}"
        entry = known.get(service_id)
        if entry:
            yield f"name = {json.dumps(entry.name)}\nservice_type = {json.dumps(entry.service_type)}"
            yield f"expected_response_time_ms = {entry.expected_response_time_ms}"
            yield f"critical = {json.dumps(entry.critical)}"
            yield f"depends_on = {json.dumps([need for need in NEEDS.get(service_id, []) if need in addresses])}"
