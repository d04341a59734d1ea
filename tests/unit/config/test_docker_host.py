"""DOCKER_HOST is read as Docker's own tools read it; what cannot work is said, and never ends the monitor."""

import pytest

from fks_master.config.environment import read_environment
from fks_master.docker.engine import DockerEngine
from fks_master.errors import ConfigError, NoDockerError


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", "unix:///var/run/docker.sock"),
        ("unix://", "unix:///var/run/docker.sock"),
        (" unix:///run/user/1000/docker.sock ", "unix:///run/user/1000/docker.sock"),
        ("tcp://proxy:2375", "tcp://proxy:2375"),
        ("tcp://proxy", "tcp://proxy:2375"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("TCP://[::1]:2376", "tcp://[::1]:2376"),
        ("proxy:2375", "tcp://proxy:2375"),
        (":2375", "tcp://127.0.0.1:2375"),
        ("tcp://", "tcp://127.0.0.1:2375"),
        ("https://engine:2376", "https://engine:2376"),
        ("ssh://me@engine", "ssh://me@engine"),
    ],
)
def test_every_form_that_docker_takes_is_taken(said: str, meant: str) -> None:
    assert read_environment({"DOCKER_HOST": said}).docker_host == meant


@pytest.mark.parametrize("said", ["/var/run/docker.sock", "npipe:////./pipe/docker_engine", "fd://", "nonsense://x"])
def test_what_is_no_docker_host_stops_the_start(said: str) -> None:
    with pytest.raises(ConfigError, match=r"DOCKER_HOST: found .* expected unix:///path"):
        read_environment({"DOCKER_HOST": said})


@pytest.mark.parametrize("host", ["ssh://me@127.0.0.1", "tcp://a:b", "tcp://127.0.0.1:1"])
async def test_a_host_that_cannot_be_asked_is_docker_that_is_absent(host: str) -> None:
    engine = DockerEngine(host)
    try:
        with pytest.raises(NoDockerError):
            await engine.connect()
    finally:
        await engine.close()
