"""Whatever a chain of services does: in the end people know the causes, and no consequence is told beside its cause."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from fks_master.config.load import from_document
from fks_master.model import Reason
from fks_master.rehearsal import Script, Stage
from fks_master.rehearsal.script import Behaviour, Step

START = datetime(2026, 1, 1, tzinfo=UTC)
NEEDS = {"data": [], "api": ["data"], "web": ["api"], "other": []}
QUIET = 1200.0


def script(threshold: int, interval: float, lives: dict[str, list[float]], restarts: list[float]) -> Script:
    """Let each service live through its spans, a good one first; the last one lasts."""
    document: dict[str, object] = {
        "monitoring": {"check_interval_seconds": interval, "timeout_seconds": 2, "retry_attempts": 1},
        "alerts": {"webhook_url": "http://hook.invalid/", "consecutive_failures_threshold": threshold},
        "services": [
            {"id": name, "health_endpoint": f"http://{name}/", "depends_on": needs} for name, needs in NEEDS.items()
        ],
    }
    steps, end = [], 0.0
    for name, spans in lives.items():
        at = 0.3 * interval
        for number, length in enumerate(spans):
            behaviour = Behaviour.FAIL if number % 2 else Behaviour.OK
            steps.append(Step(at=f"{at:.3f}s", service=name, is_=behaviour, reason=Reason.STATUS))
            at += length * interval
        end = max(end, at)
    steps += [Step(at=f"{share * end:.3f}s", restart=True) for share in restarts]
    ordered = sorted(steps, key=lambda step: step.seconds)
    return Script(from_document(document, "here"), START, end + QUIET, tuple(ordered), None)


SPANS = st.lists(st.sampled_from([0.4, 1.0, 1.6, 3.3, 7.0, 20.0]), min_size=1, max_size=7)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.integers(1, 3),
    st.sampled_from([5.0, 30.0]),
    st.fixed_dictionaries(dict.fromkeys(NEEDS, SPANS)),
    st.lists(st.floats(0.0, 1.0), max_size=2),
)
def test_in_the_end_people_know_the_causes(
    threshold: int, interval: float, lives: dict[str, list[float]], restarts: list[float]
) -> None:
    stage = Stage(script(threshold, interval, lives, restarts))
    told = [one for one in stage.play() if one.notice.event_type in {"ServiceDown", "ServiceUp"}]
    is_bad = {name: len(spans) % 2 == 0 for name, spans in lives.items()}
    known: dict[str, bool] = {}
    for one in told:
        name, is_down = one.notice.service_id or "", one.notice.event_type == "ServiceDown"
        assert is_down or known.get(name), told
        known[name] = is_down
        if is_down:
            assert not any(known.get(need) for need in all_needs(name)), (name, told)
    for name in NEEDS:
        has_bad_need = any(is_bad[need] for need in all_needs(name))
        if not has_bad_need:
            assert known.get(name, False) is is_bad[name], (name, told)
        elif not is_bad[name]:
            assert not known.get(name), (name, told)


def all_needs(name: str) -> list[str]:
    return [far for need in NEEDS[name] for far in (need, *all_needs(need))]
