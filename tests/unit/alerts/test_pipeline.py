"""The pipeline in virtual time: who is told what, and when nobody is."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest

from fks_master.alerts.notice import AlertState, Cause, Outgoing, Severity
from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.routes import Route
from fks_master.alerts.rules import Rule, RuleKind
from fks_master.alerts.silences import Silence, Window
from fks_master.alerts.works import Place
from fks_master.alerts.world import World
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


def test_what_is_down_again_before_people_heard_that_it_was_up_is_no_news() -> None:
    play = Play(service("api"))
    play.down("api")
    play.states["api"] = replace(play.states["api"], is_flapping=True)
    assert play.up("api") == []
    assert play.wait(5) == []
    assert play.down("api") == []
    assert play.wait(3600) == []
    play.up("api")
    assert said(play.wait(3600)) == [("ops", "ServiceUp", "api")]
    assert play.pipeline.alerts == {}


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


def test_without_a_receiver_nobody_is_told_and_that_is_said() -> None:
    play = Play(service("api"), routes=())
    assert play.down("api") == []
    assert play.wait(60) == []
    alert = play.pipeline.alerts["ServiceDown:api"]
    assert (alert.state, alert.told_id, alert.receivers) == (AlertState.FIRING, None, ())
    play.pipeline.routes = (Route(("ops",)),)
    assert said(play.wait(1)) == [("ops", "ServiceDown", "api")]
    assert play.pipeline.alerts["ServiceDown:api"].receivers == ("ops",)


class Asking(Play):
    """A play in which services can be looked at at once; who is asked for answers when the test says so."""

    def __init__(self, *services: Service, **more: object) -> None:
        super().__init__(*services, **more)  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.world.look_now = self.asked.extend
        self.now += timedelta(seconds=1)

    def answer(self, service_id: str) -> None:
        last = Result(service_id, Outcome.SUCCESS, self.now)
        self.states[service_id] = replace(self.states[service_id], status=Status.HEALTHY, last=last)


def test_what_a_service_needs_is_looked_at_before_anybody_is_told() -> None:
    play = Asking(service("data"), service("api", "data"))
    assert play.down("api") == []
    assert play.asked == ["data"]
    assert play.pipeline.is_asking
    play.now += timedelta(seconds=0.1)
    play.answer("data")
    assert said(play.pipeline.tick(play.now)) == [("ops", "ServiceDown", "api")]
    assert not play.pipeline.is_asking


def test_a_cause_that_is_found_by_looking_is_told_instead() -> None:
    play = Asking(service("data"), service("api", "data"))
    assert play.down("api") == []
    play.now += timedelta(seconds=0.1)
    play.fail("data", is_down=False)
    assert play.wait(5) == []
    assert said(play.down("data")) == [("ops", "ServiceDown", "data")]


def test_a_need_that_never_answers_holds_nobody_up_for_long() -> None:
    play = Asking(service("data"), service("api", "data"))
    play.down("api")
    assert said(play.wait(40)) == [("ops", "ServiceDown", "api")]


def test_a_need_that_reports_itself_is_not_asked() -> None:
    play = Asking(replace(service("cron"), health_endpoint="heartbeat://cron"), service("api", "cron"))
    assert said(play.down("api")) == [("ops", "ServiceDown", "api")]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_step_of_the_clock_neither_ends_nor_prolongs_what_mutes_for_a_while(days: int) -> None:
    play = Play(service("api"))
    play.event(EventType.ACTION_STARTED, "api", action="restart")
    assert play.down("api") == []
    play.now += timedelta(days=days)
    play.pipeline.shift(timedelta(days=days))
    assert play.wait(3590) == []
    assert said(play.wait(20)) == [("ops", "ServiceDown", "api")]


def test_cut_off_with_services_that_were_not_asked_since_they_are_asked_first() -> None:
    play = Asking(*(service(name) for name in "abcd"))
    assert play.down("a", Reason.TIMEOUT, since=play.now) == []
    assert sorted(play.asked) == ["b", "c", "d"]
    for name in "bcd":
        play.fail(name, Reason.TIMEOUT, is_down=False)
    assert said(play.wait(60)) == [("ops", "SystemAlert", None)]
    play.answer("b")
    play.states["b"] = replace(play.states["b"], up_since=play.now)
    assert said(play.wait(1)) == [("ops", "SystemAlert", None)]
    assert play.pipeline.alerts["ServiceDown:a"].muted == "the monitor is isolated, until just now"
    play.now += timedelta(seconds=1)
    assert play.up("a") == []
    assert play.wait(60) == []


def test_without_a_name_server_one_message_says_so() -> None:
    named = [service(name) for name in "abc"]
    here = [replace(service("d"), health_endpoint="http://10.0.0.9/health")]
    play = Play(*named, *here)
    for name in "abc":
        play.fail(name, Reason.DNS)
    told = [one for name in "abc" for one in play.down(name, Reason.DNS)] + play.wait(120)
    assert [(one.notice.event_type, one.notice.message) for one in told] == [
        ("SystemAlert", "No name can be resolved: the name server seems to be away")
    ]


def test_flapping_is_an_open_alert_that_ends_without_a_word() -> None:
    play = Play(service("api"))
    play.states["api"] = replace(play.states["api"], is_flapping=True)
    play.event(EventType.SERVICE_FLAPPING, "api", is_flapping=True)
    play.wait(60)
    assert list(play.pipeline.alerts) == ["ServiceFlapping:api"]
    play.states["api"] = replace(play.states["api"], is_flapping=False)
    assert play.event(EventType.SERVICE_FLAPPING, "api", is_flapping=False) + play.wait(2) == []
    assert play.pipeline.alerts == {}


def test_a_restart_of_ours_is_waited_for_until_the_service_is_well() -> None:
    play = Play(service("api"))
    play.event(EventType.ACTION_STARTED, "api", action="restart")
    play.down("api")
    play.event(EventType.ACTION_FINISHED, "api", action="restart", success=True)
    assert play.wait(30) == []
    told = play.event(EventType.SERVICE_RESTARTED, "api", success=False) + play.wait(1)
    assert said(told) == [("ops", "ServiceDown", "api")]


def test_a_compose_job_mutes_the_services_it_works_on() -> None:
    play = Play(service("api"), service("web"), service("other"))
    play.world.place_of = lambda id_: Place("shop" if id_ != "other" else "blog", id_)
    play.event(EventType.COMPOSE_STARTED, None, job_id="1", project="shop", action="up", services=["api"])
    assert play.down("api") == []
    assert said(play.down("web")) == [("ops", "ServiceDown", "web")]
    assert said(play.down("other")) == [("ops", "ServiceDown", "other")]
    play.event(EventType.COMPOSE_FINISHED, None, job_id="1", project="shop", action="up", state="failed")
    assert said(play.wait(1)) == [("ops", "ServiceDown", "api")]


def test_a_container_that_is_made_anew_is_worked_on_while_there_is_none() -> None:
    play = Play(service("api"))
    place: list[Place | None] = [Place("shop", "api")]
    play.world.place_of = lambda _: place[0]
    play.event(EventType.COMPOSE_STARTED, None, job_id="1", project="shop", action="up", services=[])
    place[0] = None
    assert play.down("api") == []
    assert play.wait(30) == []


def test_a_step_of_the_wall_clock_tells_and_repeats_nothing() -> None:
    play = Play(
        service("api"), routes=[Route(("ops",), repeat_seconds=600, escalate_to=("boss",), escalate_after_seconds=900)]
    )
    play.down("api")
    for step in (timedelta(days=1), timedelta(hours=-3)):
        play.now += step
        play.pipeline.shift(step)
        assert play.wait(60) == []
    assert [one.notice.cause for one in play.wait(500)] == [Cause.REPEAT]


def test_what_a_silence_names_by_conditions_is_muted() -> None:
    play = Play(service("api", critical=True), service("web", group="shop"))
    ends = START + timedelta(hours=1)
    play.world.silences["s"] = Silence("s", {}, START, ends, where=("critical!=true", "group=~shop|blog"))
    assert said(play.down("api", critical=True)) == [("ops", "ServiceDown", "api")]
    assert play.down("web") == []


def test_what_only_repeats_that_a_service_is_down_is_not_told() -> None:
    play = Play(service("api"))
    play.world.rules = (Rule(kind=RuleKind.ERROR_RATE),)
    told = play.down("api")
    told += play.event(EventType.ERROR_RATE_HIGH, "api", rule="error_rate", is_firing=True, severity="warning")
    told += play.wait(60)
    assert said(told) == [("ops", "ServiceDown", "api")]
    told = play.up("api") + play.wait(1)
    assert said(told) == [("ops", "ServiceUp", "api"), ("ops", "ErrorRateHigh", "api")]
    told = play.event(EventType.ERROR_RATE_HIGH, "api", rule="error_rate", is_firing=True, severity="warning")
    assert told == []
    told = play.event(EventType.ERROR_RATE_HIGH, "api", rule="error_rate", is_firing=False, severity="warning")
    assert [(one.notice.is_firing, one.notice.severity) for one in told] == [(False, Severity.INFO)]


def test_maintenance_that_was_planned_mutes_too() -> None:
    play = Play(service("api"))
    play.world.planned["w"] = Window("move", ("api",), START, START + timedelta(minutes=5), id="w")
    assert play.down("api") == []
    assert said(play.wait(301)) == [("ops", "ServiceDown", "api")]
    assert play.pipeline.suppressed["in_maintenance"] == 1
