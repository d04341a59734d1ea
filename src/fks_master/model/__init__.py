"""The vocabulary: what is configured, what was found, what is remembered. No I/O, no clock."""

from fks_master.model.event import Event, EventType
from fks_master.model.result import Component, Outcome, Phases, Reason, Result
from fks_master.model.service import Policy, Service, ServiceType
from fks_master.model.state import State, Status, Transition

__all__ = [
    "Component",
    "Event",
    "EventType",
    "Outcome",
    "Phases",
    "Policy",
    "Reason",
    "Result",
    "Service",
    "ServiceType",
    "State",
    "Status",
    "Transition",
]
