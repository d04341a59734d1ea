"""The vocabulary: what is configured, what was found, what is remembered. No I/O, no clock."""

from fks_master.model.change import Change
from fks_master.model.event import Event, EventType
from fks_master.model.family import Family
from fks_master.model.heartbeat import HeartbeatOptions
from fks_master.model.objective import Objective
from fks_master.model.options import (
    DnsOptions,
    HttpOptions,
    HttpVersion,
    IpFamily,
    Method,
    RecordType,
    TcpOptions,
    TlsOptions,
)
from fks_master.model.result import Certificate, Component, Outcome, Phases, Reason, Result
from fks_master.model.service import Policy, Service, ServiceType
from fks_master.model.state import State, Transition
from fks_master.model.status import Status

__all__ = [
    "Certificate",
    "Change",
    "Component",
    "DnsOptions",
    "Event",
    "EventType",
    "Family",
    "HeartbeatOptions",
    "HttpOptions",
    "HttpVersion",
    "IpFamily",
    "Method",
    "Objective",
    "Outcome",
    "Phases",
    "Policy",
    "Reason",
    "RecordType",
    "Result",
    "Service",
    "ServiceType",
    "State",
    "Status",
    "TcpOptions",
    "TlsOptions",
    "Transition",
]
