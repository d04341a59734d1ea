from tests.servers import Recorder, answer, listening, service

from fks_master.clock import SystemClock
from fks_master.model import HttpOptions, Outcome, Reason
from fks_master.probes.once import check_once, service_at, trace


async def test_each_service_is_tried_once_and_answers_in_order() -> None:
    good, bad = Recorder(), Recorder(answer("500 Internal Server Error", b"out of disk"))
    async with listening(good.handle) as good_port, listening(bad.handle) as bad_port:
        poisoned = service(good_port, http=HttpOptions(headers={"X": "☃"}))
        services = [service_at(f"http://127.0.0.1:{bad_port}/"), poisoned, service_at(f"http://127.0.0.1:{good_port}/")]
        results = await check_once(services, SystemClock())
    assert [result.outcome for result in results] == [Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS]
    assert [result.reason for result in results] == [Reason.STATUS, Reason.INTERNAL, None]
    assert len(bad.requests) == 1
    lines = trace(results[0])
    assert "HTTP/1.1 500" in lines
    assert "answered by 127.0.0.1" in lines
    assert lines[-1] == "body: out of disk"
