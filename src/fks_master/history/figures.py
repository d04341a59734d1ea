"""What `/metrics` tells of the history: whether it is written, and what was lost of it."""

from fks_master.history.keeper import Keeper
from fks_master.history.recorder import Recorder
from fks_master.model import Family
from fks_master.storage import Journal


def families(journal: Journal, recorder: Recorder, keeper: Keeper) -> list[Family]:
    return [
        _one("fks_history_failing", "gauge", "Whether the history cannot be written now.", journal.is_failing),
        _one("fks_history_commit_failures_total", "counter", "Failed writes, to be tried again.", journal.failures),
        _one("fks_history_changes_waiting", "gauge", "Changes that are not on disk yet.", journal.waiting),
        _one("fks_history_changes_refused_total", "counter", "Changes that the store refused for good.", journal.lost),
        _one("fks_history_results_dropped_total", "counter", "Results lost: the store was away.", recorder.dropped),
        _one(
            "fks_history_given_up_seconds_total", "counter",
            "How much of the oldest results was deleted before its time because the disk was full.",
            keeper.given_up_seconds,
        ),
    ]  # fmt: skip


def _one(name: str, kind: str, text: str, value: float) -> Family:
    return Family(name, kind, text, (({}, float(value)),))
