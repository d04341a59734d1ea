"""One state from two: what an earlier process left, and what was seen before that was known. Pure."""

import msgspec

from fks_master.model import State


def joined(old: State, new: State, *, was_good: bool, was_bad: bool, is_told_up: bool) -> State:
    """Go on with the new one, as the old one's successor.

    What people were told to be down is down until they are told that it is up; a run of failures, or a time of being
    up, that nothing has interrupted goes on from where it began.
    """
    if new.last is None:
        return msgspec.structs.replace(old, is_confirmed=False)
    is_down = new.is_down or (old.is_down and not is_told_up)
    is_slow = new.is_slow or (old.is_slow and new.slow_checks > 0)
    new = msgspec.structs.replace(new, is_down=is_down, is_slow=is_slow)
    if old.failing_since and new.failing_since and not was_good:
        failures = old.failures + new.failures
        new = msgspec.structs.replace(new, failing_since=old.failing_since, failures=failures)
    if old.up_since and new.up_since and not was_bad:
        new = msgspec.structs.replace(new, up_since=old.up_since)
    if old.status is new.status and not (was_good and was_bad):
        new = msgspec.structs.replace(new, since=old.since)
    return new
