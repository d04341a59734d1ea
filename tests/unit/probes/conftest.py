from collections.abc import AsyncIterator

import pytest

from fks_master.clock import SystemClock
from fks_master.probes.prober import Prober


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    one = Prober(SystemClock())
    one.start()
    yield one
    await one.close()
