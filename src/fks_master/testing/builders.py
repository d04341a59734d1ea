"""Things of the model with defaults for all that a test does not speak of."""

import hashlib
from typing import Any

from fks_master.docker.container import Container
from fks_master.model import Outcome, Reason, Result, Service
from fks_master.testing.clock import START


def a_service(id_: str = "api", **said: Any) -> Service:  # noqa: ANN401 - whatever the field holds
    return Service(**{"id": id_, "name": id_, "health_endpoint": f"http://{id_}:8000/health", **said})


def a_container(name: str = "api", **said: Any) -> Container:  # noqa: ANN401
    """Return a running container; its id follows from its name."""
    id_ = hashlib.sha256(name.encode()).hexdigest()
    given = {"id": id_, "name": name, "image": "fks/box", "state": "running", "started_at": START, **said}
    return Container(**given)


def a_success(service_id: str = "api", **said: Any) -> Result:  # noqa: ANN401
    return Result(**{"service_id": service_id, "outcome": Outcome.SUCCESS, "at": START, "seconds": 0.01, **said})


def a_failure(service_id: str = "api", **said: Any) -> Result:  # noqa: ANN401
    given = {"outcome": Outcome.FAILURE, "at": START, "reason": Reason.STATUS, "message": "HTTP 500", **said}
    return Result(service_id=service_id, **given)
