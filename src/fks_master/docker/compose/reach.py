"""Which services an action is about beyond those named, as Compose has it (seen with 2.26).

`down` of a service takes with it all that depend on it; `restart` those that ask for it by `depends_on.restart`, and
`up` may, where it makes a service anew. `start` and `stop` keep to the names.
"""

from collections.abc import Iterable, Mapping

from fks_master.docker.compose.request import Action

# service → what it depends on → whether it is restarted with that
Needs = Mapping[str, Mapping[str, bool]]


def reach(action: Action, named: Iterable[str], needs: Needs) -> dict[str, str | None]:
    """Return the services with the one by which each got in; None for those named."""
    found: dict[str, str | None] = dict.fromkeys(named)
    if action not in {Action.DOWN, Action.RESTART, Action.UP}:
        return found
    waiting = list(found)
    while waiting:
        cause = waiting.pop()
        for service, its in needs.items():
            if service not in found and cause in its and (action is Action.DOWN or its[cause]):
                found[service] = cause
                waiting.append(service)
    return found
