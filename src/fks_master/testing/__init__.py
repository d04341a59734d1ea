"""What tests need in place of the world: a clock moved by hand, a Docker engine in memory, a receiver that remembers.

Shipped, so that whoever builds on FKS Master can test without Docker; the same contract suite runs over the engine here
and the real daemon.
"""

from fks_master.testing.builders import a_container, a_failure, a_service, a_success
from fks_master.testing.clock import START, ManualClock, PassingClock
from fks_master.testing.engine import FakeEngine
from fks_master.testing.recorder import Recorded

__all__ = [
    "START",
    "FakeEngine",
    "ManualClock",
    "PassingClock",
    "Recorded",
    "a_container",
    "a_failure",
    "a_service",
    "a_success",
]
