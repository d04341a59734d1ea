import msgspec

from fks_master.api.lines import Lines
from fks_master.api.schemas import ServiceStatus, service_status
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Outcome, Policy, Result, Service
from fks_master.testing import ManualClock


async def test_the_lines_are_those_of_the_statuses_and_the_uptime_passes() -> None:
    clock = ManualClock()
    services = [Service(name, f'"uptime_seconds":7 {name}', f"http://{name}/") for name in ("one", "two", "three")]
    hub = Hub(services, Policy(), Metrics(0))
    lines = Lines(hub, clock)

    def expected() -> list[ServiceStatus]:
        return [service_status(one, hub.states[one.id], clock.now()) for one in hub.services.values()]

    def written() -> list[ServiceStatus]:
        return msgspec.json.decode(lines.write(), type=list[ServiceStatus])

    assert written() == expected()
    for outcome in (Outcome.SUCCESS, Outcome.FAILURE):
        hub.ingest(Result("one", outcome, clock.now(), 0.01, message='said "uptime_seconds":3'))
        hub.ingest(Result("two", Outcome.SUCCESS, clock.now(), 0.01))
        await clock.advance(7)
        assert written() == expected()
        assert written()[1].uptime_seconds >= 7
    hub.reconfigure([msgspec.structs.replace(services[1], name="other")], Policy())
    assert written() == expected()


async def test_lines_of_services_that_are_gone_are_forgotten() -> None:
    clock = ManualClock()
    hub = Hub([Service(str(number), "", "http://x/") for number in range(300)], Policy(), Metrics(0))
    lines = Lines(hub, clock)
    lines.write()
    hub.reconfigure([Service("new", "", "http://x/")], Policy())
    await clock.advance(1)
    lines.write()
    assert len(lines._known) == 1
