"""A configuration in the making: only what our own loader accepts gets in, the rest becomes a remark."""

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from fks_master.config.formats import heartbeat_token
from fks_master.config.load import check
from fks_master.errors import ConfigError
from fks_master.imports import toml

Values = dict[str, Any]

MOST_SECONDS = 31_622_400


def heartbeat(token: object, period_seconds: float | None, remarks: list[str]) -> Values:
    """Make the tables of a job that reports itself, with its token of old where ours can be like that."""
    is_good = isinstance(token, str) and heartbeat_token(token) is None
    remarks.append(f"its job must call POST /api/heartbeat/ and {'its token of old' if is_good else 'the token below'}")
    kept = token if is_good else secrets.token_urlsafe(24)
    period = max(1, min(period_seconds or 60, MOST_SECONDS))
    return {"health_endpoint": "heartbeat://", "heartbeat": {"token": kept, "period_seconds": period}}


class Draft:
    """Tables in the order in which they are written, each with what is to be said about it."""

    def __init__(self, origin: str, monitoring: Values) -> None:
        self.origin = origin
        self.monitoring = monitoring
        self.alerts: Values = {}
        self.remarks: list[str] = []
        self.service_names: dict[str, str] = {}
        self.receiver_names: list[str] = []
        self._lists: dict[str, list[list[str]]] = {
            "alerts.receivers": [],
            "alerts.routes": [],
            "alerts.maintenance": [],
        }
        self._services: list[list[str]] = []

    def id_for(self, name: str, taken: Mapping[str, Any] | Sequence[str]) -> str:
        """Make an id of a name that may hold anything."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "service"
        number, found = 1, stem
        while found in taken:
            number += 1
            found = f"{stem}_{number}"
        return found

    def add_service(self, name: str, values: Values, remarks: Sequence[str]) -> str | None:
        """Add a service with an id made of its name; gives the id, or None where ours cannot be like that."""
        id_ = self.id_for(name, self.service_names)
        lines = list(toml.table("[[services]]", {"id": id_, "name": name.strip() or id_, **values}, remarks))
        if not self._is_good(lines, f"{name!r} is left out"):
            return None
        self.service_names[id_] = name
        self._services.append(lines)
        self.remarks += [f"{name!r}: {each}" for each in remarks]
        return id_

    def add_receiver(self, name: str, values: Values) -> str | None:
        found = self.id_for(name, self.receiver_names)
        lines = list(toml.table("[[alerts.receivers]]", {"name": found, **values}))
        if not self._is_good(lines, f"the receiver {name!r} is left out"):
            return None
        self.receiver_names.append(found)
        self._lists["alerts.receivers"].append(lines)
        return found

    def add_route(self, receivers: Sequence[str], services: Sequence[str]) -> None:
        lines = toml.table("[[alerts.routes]]", {"receivers": list(receivers), "services": list(services)})
        self._lists["alerts.routes"].append(list(lines))

    def add_maintenance(self, values: Values) -> None:
        lines = list(toml.table("[[alerts.maintenance]]", values))
        if self._is_good(lines, f"the maintenance {values['name']!r} is left out"):
            self._lists["alerts.maintenance"].append(lines)

    def leave_out(self, name: str, reason: str) -> None:
        self.remarks.append(f"{name!r} is left out: {reason}")

    def text(self) -> str:
        """Write the whole file."""
        head = [toml.comment(f"Made from {self.origin} by fks_master import. `fks_master validate` checks it.")]
        if self.remarks:
            head += ["#", "# What could not be carried over as it was:"]
            head += [f"# -{toml.comment(each).removeprefix('#')}" for each in self.remarks]
        parts = [head, list(toml.table("[monitoring]", self.monitoring))]
        if self.alerts:
            parts.append(list(toml.table("[alerts]", self.alerts)))
        parts += [lines for found in self._lists.values() for lines in found]
        return "\n\n".join("\n".join(lines) for lines in [*parts, *self._services]) + "\n"

    def _is_good(self, lines: Sequence[str], complaint: str) -> bool:
        try:
            check("\n".join(lines).encode(), "draft")
        except ConfigError as error:
            self.remarks.append(f"{complaint}: {'; '.join(error.mistakes)}")
            return False
        return True
