from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fks_master.docker.container import Container, read_container, read_event
from fks_master.docker.crashes import WINDOW_SECONDS, Crashes
from fks_master.docker.ourselves import Ourselves
from fks_master.errors import DockerError
from fks_master.testing import a_container

ID = "a" * 64
ANSWER = {
    "Id": ID,
    "Name": "/fks_api",
    "Image": "sha256:1",
    "RestartCount": 2,
    "State": {
        "Status": "exited",
        "ExitCode": 137,
        "OOMKilled": True,
        "StartedAt": "2026-01-02T03:04:05.123456789Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "unhealthy"},
    },
    "Config": {"Image": "fks/api", "Labels": {"a": "b"}, "Hostname": "aaaa"},
    "HostConfig": {"NetworkMode": "fks", "RestartPolicy": {"Name": "always"}},
    "NetworkSettings": {
        "Ports": {"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18000"}], "53/udp": None, "9/tcp": None},
        "Networks": {"fks": {"IPAddress": "172.18.0.2", "Aliases": ["api"]}},
    },
}


def test_an_answer_is_read_whole() -> None:
    found = read_container(ANSWER)
    assert (found.name, found.image, found.state, found.exit_code) == ("fks_api", "fks/api", "exited", 137)
    assert (found.oom_killed, found.health, found.restart_count, found.comes_back) == (True, "unhealthy", 2, True)
    assert (found.started_at.year if found.started_at else 0, found.finished_at) == (2026, None)
    assert found.ports == {8000: ("0.0.0.0", 18000)}
    assert (found.networks["fks"].address, found.networks["fks"].names) == ("172.18.0.2", ("api", "aaaa"))


@pytest.mark.parametrize(
    ("host", "cores"),
    [
        ({}, None),
        ({"NanoCpus": 1_500_000_000}, 1.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 0}, 0.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 25_000}, 2.0),
        ({"CpuQuota": -1, "CpusetCpus": "0-2,7"}, 4.0),
        ({"NanoCpus": 2_000_000_000, "CpusetCpus": "3"}, 1.0),
        ({"NanoCpus": 10**400, "CpusetCpus": "x,-,"}, 2**62 / 1e9),
    ],
)
def test_the_limit_of_the_processor_is_the_tightest_of_three(host: dict[str, object], cores: float | None) -> None:
    assert read_container({**ANSWER, "HostConfig": host}).cpu_limit == cores


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.sampled_from([*ANSWER, "Status", "fks", "a"]), inner),
)


@given(JSON, some.sampled_from(sorted(ANSWER)))
def test_nonsense_is_refused_or_read_as_unknown_but_breaks_nothing(nonsense: object, key: str) -> None:
    for answer in (nonsense, {**ANSWER, key: nonsense}):
        with suppress(DockerError):
            assert isinstance(read_container(answer), Container)
    for event in (nonsense, {"Type": "container", "Action": "die", "Actor": nonsense}):
        read_event(event)


def test_an_event_is_read_by_its_new_fields() -> None:
    actor = {"ID": ID, "Attributes": {"name": "one", "exitCode": "7", "signal": "15"}}
    event = read_event({"Type": "container", "Action": "die", "Actor": actor, "timeNano": 5, "status": "start"})
    assert event is not None
    assert (event.kind, event.name, event.exit_code, event.signal, event.nano) == ("die", "one", 7, 15, 5)
    health = read_event({"Type": "container", "Action": "health_status: unhealthy", "Actor": actor})
    assert health is not None
    assert health.kind == "health_status"
    for odd in ({"Type": "image"}, {"Action": "exec_start: x"}, {"Actor": {"ID": "../x"}}):
        assert read_event({"Type": "container", "Action": "die", "Actor": actor, **odd}) is None


def test_three_crashes_in_ten_minutes_are_a_loop_until_ten_minutes_of_calm() -> None:
    crashes = Crashes()
    assert [crashes.note("a", at) for at in (0.0, WINDOW_SECONDS, WINDOW_SECONDS + 1)] == [False, False, False]
    assert crashes.note("a", WINDOW_SECONDS + 2)
    assert not crashes.note("a", WINDOW_SECONDS + 3)
    assert (crashes.recent("a", WINDOW_SECONDS + 3), crashes.is_looping("a")) == (4, True)
    assert crashes.take_calm(WINDOW_SECONDS + 4) == []
    assert crashes.take_calm(2 * WINDOW_SECONDS + 3) == ["a"]
    assert not crashes.is_looping("a")
    assert crashes.take_calm(9 * WINDOW_SECONDS) == []


@pytest.mark.parametrize(
    ("docker_host", "container"),
    [
        ("unix:///x", a_container(id=ID)),
        ("tcp://docker-proxy:2375", a_container("docker-proxy")),
        ("tcp://docker-proxy:2375", a_container("x-1", labels={"com.docker.compose.service": "docker-proxy"})),
        ("tcp://172.18.0.2:2375", read_container({**ANSWER, "Id": "b" * 64})),
        ("tcp://api:2375", read_container({**ANSWER, "Id": "b" * 64})),
        ("tcp://127.0.0.1:18000", read_container({**ANSWER, "Id": "b" * 64})),
    ],
)
def test_we_and_the_proxy_that_carries_us_are_known(docker_host: str, container: Container) -> None:
    assert Ourselves(ID, docker_host).why_not(container)
    assert Ourselves("c" * 64, "tcp://elsewhere:2375").why_not(container) is None
