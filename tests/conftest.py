from collections.abc import Iterator

import pytest
from tests.docker_engine import Engine, docker_engine


@pytest.fixture(scope="session")
def daemon() -> Iterator[Engine]:
    with docker_engine() as one:
        yield one


@pytest.fixture
def docker(daemon: Engine) -> Iterator[Engine]:
    """A running Docker Engine without containers."""
    daemon.remove_everything()
    yield daemon
    daemon.remove_everything()
