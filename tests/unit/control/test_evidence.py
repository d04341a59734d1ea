"""What is kept of a container, whatever has become of it meanwhile."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from fks_master.clock import SystemClock
from fks_master.control.evidence import Witness
from fks_master.errors import NoDockerError
from fks_master.model import Service
from fks_master.testing.engine import FakeEngine


class Clock(SystemClock):
    wall = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.wall += timedelta(seconds=5)
        return self.wall


class Fleet:
    services: Mapping[str, Service] = MappingProxyType(
        {
            "api": Service("api", "Api", "http://127.0.0.1:1/", docker_container="box"),
            "bare": Service("bare", "Bare", "http://127.0.0.1:1/"),
            "gone": Service("gone", "Gone", "http://127.0.0.1:1/", docker_container="none"),
        }
    )


async def test_lines_of_a_container_that_runs_again_are_those_from_before_it_died() -> None:
    engine = FakeEngine(Clock())
    engine.run("box", labels={"token": "secret"}, memory_limit_bytes=2**20)
    witness = Witness(Fleet(), engine, lambda _: None)
    engine.write("box", "panic")
    engine.crash("box", 3)
    await engine.start("box")
    engine.write("box", "hello again")
    lines = (await witness.logs("api"))["lines"]
    assert isinstance(lines, list)
    assert [line.partition(" ")[2] for line in lines] == ["panic"]
    facts = await witness.container("api")
    assert (facts["labels"], facts["memory_limit_bytes"]) == ({}, 2**20)


async def test_without_a_container_there_is_nothing_and_without_docker_it_may_be_asked_again() -> None:
    engine = FakeEngine(Clock())
    witness = Witness(Fleet(), engine, lambda _: None)
    for name in ("bare", "gone", "unknown"):
        assert await witness.container(name) == {}
        assert await witness.logs(name) == {}
    engine.vanish()
    with pytest.raises(NoDockerError):
        await witness.container("api")
    with pytest.raises(NoDockerError):
        await witness.logs("api")
