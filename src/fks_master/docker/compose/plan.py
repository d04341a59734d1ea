"""What a command would do, read from Compose's own dry run."""

import re

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


class Step(msgspec.Struct, frozen=True):
    """One change: `verb` is create, recreate, start, stop, restart, remove, pull, build or push."""

    verb: str
    kind: str
    name: str


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


def as_text(steps: list[Step]) -> str:
    if not steps:
        return "Nothing would change.\n"
    return "".join(f"{step.verb} {step.kind} {step.name}\n" for step in steps)
