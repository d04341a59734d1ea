from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests.docker_engine import Engine, docker_engine

settings.register_profile("unhurried", deadline=None)  # a loaded machine is no fault of what is tested
settings.load_profile("unhurried")


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
