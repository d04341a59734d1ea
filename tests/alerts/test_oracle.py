"""Whatever a service does: what lasts is told, nothing without a cause, and no end without a beginning."""

from datetime import UTC, datetime

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fks_master.config.load import from_document
from fks_master.model import Reason
from fks_master.rehearsal import Script, Stage, Told
from fks_master.rehearsal.script import Behaviour, Step

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 1.1
PAUSE = 20.0


class Fleet:
    """One service with its options; `spans` are its states one after the other, the first one good."""

    def __init__(self, options: dict[str, float], spans: list[float], reason: Reason) -> None:
        self.threshold = int(options.pop("threshold"))
        document: dict[str, object] = {
            "alerts": {"webhook_url": "http://hook.invalid/", "consecutive_failures_threshold": self.threshold},
            "services": [{"id": "api", "health_endpoint": "http://api/", **options}],
        }
        self.config = from_document(document, "here")
        self.service = self.config.services[0]
        self.bound = self.service.bound_seconds(self.config.policy)
        # A state is as long as so many intervals; all begin somewhere between two checks.
        at, self.spans = 0.37 * self.service.interval_seconds, list[tuple[float, float, bool]]()
        for number, length in enumerate(spans):
            end = at + length * self.service.interval_seconds
            self.spans.append((at, end, number % 2 == 0))
            at = end
        self.end = at + 2 * self.bound + 5 * PAUSE  # the last state lasts
        self.spans[-1] = (self.spans[-1][0], self.end, self.spans[-1][2])
        self.reason = reason

    def play(self, troubles: list[tuple[float, str]]) -> list[Told]:
        states = [
            Step(at=f"{begin:.3f}s", service="api", is_=Behaviour.OK if is_good else Behaviour.FAIL, reason=self.reason)
            for begin, _, is_good in self.spans
        ]
        troubled = [Step(at=f"{share * self.end:.3f}s", **TROUBLES[kind]) for share, kind in troubles]  # type: ignore[arg-type]
        steps = sorted((*states, *troubled), key=lambda step: step.seconds)
        script = Script(self.config, START, self.end, tuple(steps), None)
        return Stage(script).play()


TROUBLES: dict[str, dict[str, object]] = {
    "restart": {"restart": True},
    "pause": {"pause": f"{PAUSE:g}s"},
    "an hour on": {"clock": "1h"},
    "a day back": {"clock": "-1d"},
}
OPTIONS = st.fixed_dictionaries(
    {
        "threshold": st.integers(1, 4),
        "interval_seconds": st.sampled_from([1.0, 5.0, 30.0, 60.0]),
        "timeout_seconds": st.sampled_from([1.0, 5.0, 10.0]),
        "retry_attempts": st.integers(1, 3),
    }
)
SPANS = st.lists(st.sampled_from([0.4, 1.0, 1.3, 2.1, 3.0, 3.6, 5.2, 9.7, 25.1]), min_size=1, max_size=24)
REASONS = st.sampled_from([Reason.REFUSED, Reason.STATUS, Reason.TIMEOUT])


TROUBLE = st.lists(st.tuples(st.floats(0.0, 1.0), st.sampled_from(sorted(TROUBLES))), max_size=4)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(OPTIONS, SPANS, REASONS, TROUBLE)
@example(
    {"threshold": 1, "interval_seconds": 60.0, "timeout_seconds": 1.0, "retry_attempts": 1},
    [1.0] * 24,
    Reason.REFUSED,
    [],
)
def test_the_oracle_holds(
    options: dict[str, float], spans: list[float], reason: Reason, troubles: list[tuple[float, str]]
) -> None:
    fleet = Fleet(dict(options), spans, reason)
    # A service is asked one check at a time: where they take longer than the interval, the bound cannot hold.
    assume(reason is not Reason.TIMEOUT or fleet.service.asking_seconds < fleet.service.interval_seconds)
    told = [one for one in fleet.play(troubles) if one.notice.event_type in {"ServiceDown", "ServiceUp"}]
    moments = [(one.seconds, one.notice.event_type == "ServiceUp") for one in told]
    paused = PAUSE * sum(kind == "pause" for _, kind in troubles)
    late = fleet.bound + TICK + paused
    for begin, end, is_good in fleet.spans[1:]:
        if end - begin >= fleet.bound + paused:
            known = next((was_good for at, was_good in reversed(moments) if at <= begin), True)
            news = (begin <= at <= begin + late for at, was_good in moments if was_good is is_good)
            assert known is is_good or any(news), (begin, end, moments)
    for at, was_good in moments:
        near = [is_good for begin, end, is_good in fleet.spans if begin <= at and at - late <= end]
        assert was_good in near, (at, was_good, moments)
    is_open = False
    for one in told:
        is_down = one.notice.event_type == "ServiceDown"
        assert is_down or is_open, told
        is_open = is_down
    assert is_open is not fleet.spans[-1][2], told
