import asyncio
from typing import Any

import pytest
from tests.servers import service

from fks_master.clock import SystemClock
from fks_master.docker.container import Container
from fks_master.errors import DockerError, NoDockerError, NotFoundError
from fks_master.model import Outcome, Reason, Result
from fks_master.probes.container import ContainerProbe, watched_container
from fks_master.probes.once import check_once


class OneContainer:
    """An engine that knows one container, or raises what it is given, or never answers."""

    def __init__(self, answer: Container | Exception | None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def inspect(self, name: str) -> Container:
        self.asked.append(name)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


def container(state: str, **more: Any) -> Container:
    return Container(id="a" * 64, name="Fks_DB", image="db", state=state, **more)


async def look(answer: Container | Exception | None, patience: float = 5.0) -> Result:
    probe = ContainerProbe(OneContainer(answer), SystemClock())  # type: ignore[arg-type]
    return await probe.probe(service("docker://Fks_DB", timeout_seconds=patience))


@pytest.mark.parametrize("health", [None, "none", "healthy"])
async def test_one_that_runs_and_is_not_sick_is_well(health: str | None) -> None:
    result = await look(container("running", health=health))
    assert (result.outcome, result.message) == (Outcome.SUCCESS, None)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (container("running", health="unhealthy"), "Docker's health check of the container fails"),
        (
            container("running", health="unhealthy", health_message="no route"),
            "Docker's health check of the container fails: no route",
        ),
        (container("exited", exit_code=0), "The container has ended (exit code 0)"),
        (
            container("exited", exit_code=137, oom_killed=True),
            "The container was killed for want of memory (exit code 137)",
        ),
        (container("dead"), "The container has ended"),
        (container("created"), "The container was created but never started"),
        (container("paused"), "The container is paused"),
        (container("restarting"), "The container ends again and again, and Docker restarts it"),
    ],
)
async def test_one_that_does_not_run_or_is_sick_has_failed(found: Container, message: str) -> None:
    result = await look(found)
    assert (result.outcome, result.reason, result.message) == (Outcome.FAILURE, Reason.CONTAINER, message)


async def test_a_slow_daemon_is_no_slow_container() -> None:
    class Slow(OneContainer):
        async def inspect(self, name: str) -> Container:
            await asyncio.sleep(0.05)
            return await super().inspect(name)

    result = await ContainerProbe(Slow(container("running")), SystemClock()).probe(service("docker://Fks_DB"))  # type: ignore[arg-type]
    assert (result.outcome, result.seconds) == (Outcome.SUCCESS, 0.0)
    assert result.phases.first_byte > 0.01


async def test_one_that_does_not_exist_has_failed() -> None:
    result = await look(NotFoundError("No such container: Fks_DB"))
    assert (result.outcome, result.reason) == (Outcome.FAILURE, Reason.CONTAINER)
    assert result.message == "There is no container Fks_DB"


@pytest.mark.parametrize("error", [NoDockerError("Docker does not answer"), DockerError("500 nonsense")])
async def test_a_daemon_that_does_not_answer_is_no_fault_of_the_container(error: Exception) -> None:
    result = await look(error)
    assert (result.outcome, result.reason, result.message) == (Outcome.VOID, Reason.UNSEEN, str(error))


async def test_a_daemon_that_hangs_is_no_fault_either_and_is_waited_for_no_longer_than_the_timeout() -> None:
    result = await look(None, patience=0.1)
    assert (result.outcome, result.message) == (Outcome.VOID, "Docker did not answer within 0.1 s")


async def test_one_that_starts_is_not_judged_before_docker_has_a_verdict() -> None:
    result = await look(container("running", health="starting"))
    assert (result.outcome, result.reason) == (Outcome.VOID, Reason.UNSEEN)


async def test_the_engine_is_asked_by_the_name_as_it_is_written() -> None:
    engine: Any = OneContainer(container("running"))
    (result,) = await check_once([service("docker://Fks_DB")], SystemClock(), engine=engine)
    assert result.outcome is Outcome.SUCCESS
    assert engine.asked == ["Fks_DB"]


def test_only_an_address_of_a_container_names_one() -> None:
    assert watched_container("docker://Fks_DB") == "Fks_DB"
    assert watched_container("http://fks_db/health") is None
