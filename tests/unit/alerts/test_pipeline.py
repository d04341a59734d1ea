"""The pipeline in virtual time: who is told what, and when nobody is."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from fks_master.alerts.notice import AlertState, Cause, Outgoing, Severity
from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.routes import Route
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.stages import World
from fks_master.model import Event, EventType, Outcome, Reason, Result, Service, State, Status

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
replace = msgspec.structs.replace


class Play:
    """A fleet whose states are set by hand, and a clock that is moved by hand."""

    def __init__(self, *services: Service, routes: Sequence[Route] = (Route(("ops",)),)) -> None:
        self.now = START
        self.services = {one.id: one for one in services}
        self.states = {one.id: State(one.id, Status.HEALTHY, last=result(one.id)) for one in services}
        self.world = World(lambda: self.services, lambda: self.states)
        self.pipeline = Pipeline(self.world, tuple(routes))
        self._number = 0

    def wait(self, seconds: float) -> list[Outgoing]:
        """Let time pass, second by second."""
        told = []
        for _ in range(int(seconds)):
            self.now += timedelta(seconds=1)
            told += self.pipeline.tick(self.now)
        return told

    def event(self, kind: EventType, service_id: str | None, **data: object) -> list[Outgoing]:
        self._number += 1
        return self.pipeline.take(
            Event(kind, f"{kind} {service_id}", self.now, service_id, data, self._number), self.now
        )

    def fail(self, service_id: str, reason: Reason = Reason.STATUS, *, is_down: bool = True) -> None:
        failed = Result(service_id, Outcome.FAILURE, self.now, reason=reason)
        known = self.states[service_id]
        self.states[service_id] = replace(known, status=Status.UNHEALTHY, is_down=is_down, last=failed, up_since=None)

    def down(self, service_id: str, reason: Reason = Reason.STATUS, **data: object) -> list[Outgoing]:
        self.fail(service_id, reason)
        return self.event(EventType.SERVICE_DOWN, service_id, reason=reason.value, **data)

    def up(self, service_id: str) -> list[Outgoing]:
        known = self.states[service_id]
        self.states[service_id] = replace(
            known, status=Status.HEALTHY, is_down=False, last=result(service_id), up_since=self.now
        )
        return self.event(EventType.SERVICE_UP, service_id)


def result(service_id: str) -> Result:
    return Result(service_id, Outcome.SUCCESS, START)


def service(name: str, *needs: str, **more: object) -> Service:
    return Service(name, name.upper(), f"http://{name}/health", depends_on=needs, interval_seconds=10, **more)  # type: ignore[arg-type]


def said(told: Sequence[Outgoing]) -> list[tuple[str, str, str | None]]:
    return [(one.receiver, one.notice.event_type, one.notice.service_id) for one in told]


def test_down_and_up_are_told_once_each() -> None:
    play = Play(service("api"))
    assert said(play.down("api", critical=True)) == [("ops", "ServiceDown", "api")]
    assert play.pipeline.alerts["ServiceDown:api"].notice.severity is Severity.CRITICAL
    assert play.wait(3600) == []
    assert said(play.up("api")) == [("ops", "ServiceUp", "api")]
    assert play.wait(60) == []
    assert play.pipeline.alerts == {}


def test_a_cause_is_told_with_whom_it_takes_down_and_its_consequences_are_not() -> None:
    play = Play(service("data"), service("api", "data"), service("web", "api"))
    first = play.down("data")
    assert first[0].notice.data["takes_down"] == ["api", "web"]
    assert play.down("api") == []
    assert play.down("web") == []
    alert = play.pipeline.alerts["ServiceDown:web"]
    assert alert.state is AlertState.MUTED
    assert "depends on" in (alert.muted or "")
    assert said(play.up("data")) == [("ops", "ServiceUp", "data")]
    play.up("api")
    play.up("web")
    assert play.wait(600) == []


def test_a_consequence_that_outlives_its_cause_is_told_then() -> None:
    play = Play(service("data"), service("api", "data"))
    play.down("data")
    play.wait(1)
    play.down("api")
    play.wait(5)
    play.up("data")
    assert said(play.wait(300)) == [("ops", "ServiceDown", "api")]


def test_while_a_need_is_just_failing_its_dependent_waits_until_that_is_decided() -> None:
    play = Play(service("data"), service("api", "data"))
    play.fail("data", is_down=False)
    assert play.down("api") == []
    assert play.wait(10) == []
    assert said(play.down("data")) == [("ops", "ServiceDown", "data")]
    assert play.wait(600) == []


def test_a_silence_mutes_until_it_ends() -> None:
    play = Play(service("api"))
    ends = START + timedelta(minutes=10)
    play.world.silences["s"] = Silence("s", {"service_id": "a*"}, START, ends, "anna", "moving")
    assert play.down("api") == []
    assert play.pipeline.alerts["ServiceDown:api"].muted == "silenced by anna: moving"
    assert play.wait(599) == []
    assert said(play.wait(2)) == [("ops", "ServiceDown", "api")]


def test_what_began_and_ended_in_silence_is_never_told() -> None:
    play = Play(service("api"))
    play.world.silences["s"] = Silence("s", {"service_id": "api"}, START, START + timedelta(hours=1))
    play.down("api")
    play.wait(60)
    assert play.up("api") == []
    assert play.wait(7200) == []


def test_maintenance_mutes_its_services_alone() -> None:
    play = Play(service("api"), service("web"))
    play.world.windows = (Window("backup", ("api",), from_time=time(2, 30), to_time=time(3, 30)),)
    assert play.down("api") == []
    assert said(play.down("web")) == [("ops", "ServiceDown", "web")]
    assert said(play.wait(1801)) == [("ops", "ServiceDown", "api")]


def test_an_action_of_ours_mutes_while_it_works() -> None:
    play = Play(service("api"))
    busy = {"api"}
    play.world.is_busy = busy.__contains__
    assert play.down("api") == []
    assert play.wait(5) == []
    busy.clear()
    assert said(play.wait(1)) == [("ops", "ServiceDown", "api")]


def test_when_nobody_answers_the_monitor_alone_is_told_about() -> None:
    play = Play(*(service(name) for name in "abcd"))
    told = []
    for name in "abcd":
        play.fail(name, Reason.TIMEOUT)
    for name in "abcd":
        told += play.down(name, Reason.TIMEOUT)
    told += play.wait(120)
    assert said(told) == [("ops", "SystemAlert", None)]
    told = [one for name in "abcd" for one in play.up(name)] + play.wait(1)
    assert said(told) == [("ops", "SystemAlert", None)]
    assert play.wait(600) == []


def test_who_repeats_and_who_escalates_until_somebody_has_it() -> None:
    route = Route(("ops",), repeat_seconds=600, escalate_to=("boss",), escalate_after_seconds=900)
    play = Play(service("api"), routes=[route])
    play.down("api")
    told = play.wait(1200)
    assert [(one.receiver, one.notice.cause) for one in told] == [
        ("ops", Cause.REPEAT),
        ("boss", Cause.ESCALATION),
        ("ops", Cause.REPEAT),
    ]
    assert len({one.notice.id for one in told}) == 3
    assert play.pipeline.acknowledge("ServiceDown:api", "anna", play.now)
    assert play.wait(7200) == []
    assert [one.receiver for one in play.up("api")] == ["ops", "boss"]
    assert not play.pipeline.acknowledge("ServiceDown:api", "anna", play.now)


def test_each_hears_of_what_its_route_takes() -> None:
    routes = [Route(("pager",), severities=("critical",)), Route(("web-team",), labels={"team": "web*"})]
    play = Play(service("api", labels={"team": "web-1"}), service("data"), routes=routes)
    assert said(play.down("api")) == [("web-team", "ServiceDown", "api")]
    assert said(play.down("data", critical=True)) == [("pager", "ServiceDown", "data")]
    assert said(play.up("data")) == [("pager", "ServiceUp", "data")]


def test_flapping_is_told_once_and_damps_what_does_not_last() -> None:
    play = Play(service("api"))
    assert said(play.event(EventType.SERVICE_FLAPPING, "api", is_flapping=True)) == [("ops", "ServiceFlapping", "api")]
    play.states["api"] = replace(play.states["api"], is_flapping=True)
    for _ in range(5):
        assert play.down("api") == []
        assert play.wait(5) == []
        assert play.up("api") == []
        assert play.wait(5) == []
    play.down("api")
    assert said(play.wait(600)) == [("ops", "ServiceDown", "api")]


def test_high_latency_is_told_once_an_episode_and_ends_in_silence() -> None:
    play = Play(service("api"))
    play.states["api"] = replace(play.states["api"], is_slow=True)
    assert said(play.event(EventType.HIGH_LATENCY, "api")) == [("ops", "HighLatency", "api")]
    assert play.wait(60) == []
    play.states["api"] = replace(play.states["api"], is_slow=False)
    assert play.wait(1) == []
    assert play.pipeline.alerts == {}


def test_a_service_that_nobody_watches_any_more_has_no_alert() -> None:
    play = Play(service("api"))
    play.down("api")
    del play.services["api"], play.states["api"]
    assert play.wait(1) == []
    assert play.pipeline.alerts == {}


def test_a_restart_of_ours_remembers_who_was_told() -> None:
    play = Play(service("api"))
    play.down("api")
    later = Pipeline(play.world, play.pipeline.routes)
    later.restore(play.pipeline.alerts.values())
    assert later.tick(play.now + timedelta(minutes=1)) == []
    assert {key for key, _ in play.pipeline.take_changed()} == {"ServiceDown:api"}
