"""What a command would do, read from Compose's own dry run, and why, where that can be told."""

import re
from collections.abc import Iterable, Mapping

import msgspec

_STEP = re.compile(r"(Container|Network|Volume|Image)\s+\"?(\S+?)\"?\s+(\w+)\s*$")
_RENAMED = re.compile(r"^[0-9a-f]{12}_")
_VERBS = {
    "Creating": "create",
    "Recreate": "recreate",
    "Starting": "start",
    "Stopping": "stop",
    "Restarting": "restart",
    "Removing": "remove",
}
_NEW = "it is not there yet"


class Step(msgspec.Struct, frozen=True):
    """One change: `verb` is create, recreate, start, stop, restart, remove, pull, build or push.

    `because` says why, in a few words; None where it was asked for, or where nobody can tell.
    """

    verb: str
    kind: str
    name: str
    because: str | None = None


class Present(msgspec.Struct, frozen=True):
    """A container as it is: what it was made from, by the labels that Compose gave it."""

    name: str
    service: str
    state: str = ""
    config_hash: str = ""
    image_id: str = ""


class Known(msgspec.Struct, frozen=True):
    """What tells why: the containers, and per service its hash and image now, and by which service it got in."""

    present: Mapping[str, Present]
    hashes: Mapping[str, str] = {}
    image_ids: Mapping[str, str] = {}
    reach: Mapping[str, str | None] = {}


def read(told: str) -> list[Step]:
    """Read the lines of a dry run. Starting what was just made or made anew is not told."""
    steps: dict[Step, None] = {}
    fresh: set[str] = set()
    for line in told.splitlines():
        match = _STEP.search(line)
        verb = _VERBS.get(match[3]) if match else None
        if match is None or verb is None:
            continue
        name = _RENAMED.sub("", match[2])
        if verb in {"create", "recreate"}:
            fresh.add(name)
        if verb != "start" or name not in fresh:
            steps[Step(verb, match[1].lower(), name)] = None
    return list(steps)


def explained(steps: Iterable[Step], known: Known) -> list[Step]:
    """Add to each step why."""
    return [msgspec.structs.replace(step, because=step.because or _because(step, known)) for step in steps]


def _because(step: Step, known: Known) -> str | None:
    one = known.present.get(step.name) if step.kind == "container" else None
    if step.verb == "create":
        return _NEW if one is None else None
    if one is None:
        return None
    if step.verb == "recreate":
        return _difference(one, known)
    if step.verb == "start":
        return None if one.state in {"", "running"} else f"it is {one.state}"
    cause = known.reach.get(one.service)
    return f"it depends on {cause}" if cause else None


def _difference(one: Present, known: Known) -> str | None:
    """Compare what decides for Compose: the hash of the service's configuration, and the image's digest."""
    differing = {
        "configuration": (one.config_hash, known.hashes.get(one.service)),
        "image": (one.image_id, known.image_ids.get(one.service)),
    }
    changed = [what for what, (then, now) in differing.items() if then and now and then != now]
    return f"its {' and its '.join(changed)} changed" if changed else None


def as_text(steps: list[Step]) -> str:
    if not steps:
        return "Nothing would change.\n"
    return "".join(f"{one.verb} {one.kind} {one.name}{f': {one.because}' if one.because else ''}\n" for one in steps)
