"""The stage: a monitor whose checks, clock and events are those of a script.

State machine, rules and pipeline are the real ones.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from fks_master.alerts.notice import Alert, Notice, Outgoing
from fks_master.alerts.pipeline import Pipeline
from fks_master.alerts.rules import RuleBook, Sight
from fks_master.alerts.silences import Silence
from fks_master.alerts.world import World
from fks_master.config.alerting import options_of
from fks_master.config.schema import Config
from fks_master.hub import Hub
from fks_master.metrics import Metrics
from fks_master.model import Change, Event, Outcome, Reason, Result, Service, State
from fks_master.rehearsal.script import Behaviour, Script, Step, parse_duration
from fks_master.storage import Restored

TICK_SECONDS = 1.0
ASKING_SECONDS = 0.05
ANSWER_MS = 20.0
WAITS = {Reason.TIMEOUT}  # reasons that are found only when the time is over
WORDS = {
    Reason.REFUSED: "Connection refused",
    Reason.TIMEOUT: "No answer in time",
    Reason.DNS: "The name does not resolve",
    Reason.STATUS: "HTTP 500",
}

encode, decode = msgspec.json.encode, msgspec.json.decode


class Told(msgspec.Struct, frozen=True):
    """What would have been sent, and how many seconds after the start."""

    seconds: float
    receiver: str
    notice: Notice


class Stage:
    """Plays one script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._config = script.config
        self._options = options_of(script.config)
        self._seconds = 0.0
        self._step = timedelta()
        self._resumes = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._acts: dict[str, Step] = {}
        self._due: dict[str, float] = {}
        self._changes: deque[Change] = deque()
        self._newest = 0
        self.told: list[Told] = []
        self._begin()

    @property
    def now(self) -> datetime:
        """The wall clock, which a script may make step."""
        return self._script.start + timedelta(seconds=self._seconds) + self._step

    @property
    def alerts(self) -> list[Alert]:
        return list(self.pipeline.alerts.values())

    def play(self) -> list[Told]:
        for step in self._script.steps:
            self._plan(step.seconds, lambda step=step: self._perform(step))  # type: ignore[misc]
        self._look(service.id for service in self._script.config.services)
        self._plan(TICK_SECONDS, self._tick)
        while self._agenda and self._agenda[0][0] <= self._script.seconds:
            at, _, act = heapq.heappop(self._agenda)
            self._seconds = max(self._seconds, at, self._resumes)
            act()
            self._settle()
        return self.told

    def _begin(self) -> None:
        """Build the parts as the program does; what is kept over a restart is handed over by whoever calls."""
        config = self._config
        self.hub = Hub(config.services, config.policy, Metrics(0.0), self._changes.append)
        hub = self.hub
        self.pipeline = Pipeline(World(lambda: hub.services, lambda: hub.states, look_now=self._look), ())
        self.pipeline.configure(self._options)
        sight = Sight(lambda: hub.services, lambda: hub.states, lambda: self.pipeline.alerts)
        self.book = RuleBook(sight, self._options.rules, self._seconds, self.now)

    def _restart(self) -> None:
        """Go on with what is on disk."""
        alerts = [decode(encode(one), type=Alert) for one in self.alerts]
        states = {id_: decode(encode(state), type=State) for id_, state in self.hub.states.items()}
        silences, came_up = self.pipeline.world.silences, self.pipeline.world.came_up
        self._begin()
        self.hub.restore(Restored(states, self._newest))
        self.pipeline.restore(alerts)
        self.pipeline.world.silences, self.pipeline.world.came_up = silences, came_up
        self._look(self.hub.services)

    def _plan(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), act))

    def _tick(self) -> None:
        self._tell(self.pipeline.tick(self.now))
        for event in self.book.judge(self._seconds, self.now):
            self.hub.announce(event)
        self._plan(self._seconds + TICK_SECONDS, self._tick)

    def _settle(self) -> None:
        """Let what has changed go through rules and pipeline; while an answer decides, look again soon."""
        while self._changes:
            change = self._changes.popleft()
            self.book.see(change, self._seconds)
            for event in change.events:
                self._newest = event.id
                self._tell(self.pipeline.take(decode(encode(event), type=Event), self.now))
        if self.pipeline.is_asking:
            self._plan(self._seconds + ASKING_SECONDS, lambda: self._tell(self.pipeline.tick(self.now)))

    def _tell(self, told: Iterable[Outgoing]) -> None:
        self.told += [Told(round(self._seconds, 3), one.receiver, one.notice) for one in told]

    def _look(self, service_ids: Iterable[str]) -> None:
        for service_id in service_ids:
            self._schedule(service_id, self._seconds)

    def _schedule(self, service_id: str, at: float) -> None:
        self._due[service_id] = at
        self._plan(at, lambda: self._check(service_id, at))

    def _check(self, service_id: str, due: float) -> None:
        service = self.hub.services.get(service_id)
        if service is None or self._due.get(service_id) != due:
            return
        self._due[service_id] = float("inf")  # it is being asked
        act = self._acts.get(service_id, Step(is_=Behaviour.OK))
        is_waiting = act.is_ is Behaviour.FAIL and act.reason in WAITS
        began = self._seconds
        takes = service.asking_seconds if is_waiting else (ANSWER_MS if act.ms is None else act.ms) / 1000
        self._plan(began + takes, lambda: self._finish(service, due, began))

    def _finish(self, service: Service, due: float, began: float) -> None:
        if began < self._resumes <= self._seconds and self._seconds - began > TICK_SECONDS:
            self._schedule(service.id, self._seconds)  # it overlapped a pause: void, and asked again
            return
        self.hub.ingest(self._result(service))
        missed = (self._seconds - due) // service.interval_seconds
        self._schedule(service.id, due + (missed + 1) * service.interval_seconds)

    def _result(self, service: Service) -> Result:
        act = self._acts.get(service.id, Step(is_=Behaviour.OK))
        if act.is_ is Behaviour.FAIL:
            message = act.message or WORDS.get(act.reason, act.reason.value)
            seconds, tries = (service.timeout_seconds, service.tries) if act.reason in WAITS else (0.0, 1)
            return Result(service.id, Outcome.FAILURE, self.now, seconds, act.reason, message, tries=tries)
        slow = self._config.policy.high_latency_ms + 1
        milliseconds = act.ms if act.ms is not None else slow if act.is_ is Behaviour.SLOW else ANSWER_MS
        is_degraded = act.is_ is Behaviour.DEGRADED
        return Result(
            service.id, Outcome.SUCCESS, self.now, milliseconds / 1000, message=act.message, degraded=is_degraded
        )

    def _perform(self, step: Step) -> None:
        if step.is_ is not None:
            self._acts |= dict.fromkeys(step.whom, step)
        elif step.event is not None:
            for service_id in step.whom or (None,):
                message = step.message or step.event.value
                self.hub.announce(Event(step.event, message, self.now, service_id, step.data))
        elif step.silence or step.where:
            ends = self.now + parse_duration(step.for_ or "0s")
            made = Silence(
                f"s{len(self.pipeline.world.silences)}", step.silence, self.now, ends, step.by, "", step.where
            )
            self.pipeline.world.silences[made.id] = made
        elif step.acknowledge is not None:
            self.pipeline.acknowledge(step.acknowledge, step.by, self.now)
        elif step.restart:
            self._restart()
        elif step.pause is not None:
            self._resumes = self._seconds + parse_duration(step.pause).total_seconds()
        elif step.clock is not None:
            self._step += parse_duration(step.clock)
            self.pipeline.shift(parse_duration(step.clock))
        elif step.reload:
            self._reload(self._script.reloads[step.seconds])

    def _reload(self, config: Config) -> None:
        """Take up a new config as the program does."""
        known = set(self.hub.services)
        self._config, self._options = config, options_of(config)
        self.pipeline.configure(self._options)
        self.book.configure(self._options.rules)
        self.hub.reconfigure(config.services, config.policy)
        self._due = {name: due for name, due in self._due.items() if name in self.hub.services}
        self._look(self.hub.services.keys() - known)
