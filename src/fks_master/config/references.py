"""What must fit between services: ids are unique, dependencies exist and do not go round in a circle."""

import graphlib
from collections.abc import Iterator

from fks_master.config.walk import nearest, show


def find_mistakes(services: object) -> Iterator[str]:
    """Look at `[[services]]` as read from the file; what has the wrong shape is passed over, being told elsewhere."""
    entries = _entries(services)
    yield from _duplicates(entries)
    known = {id_ for _, id_, _ in entries}
    unknown = list(_unknown(entries, known))
    yield from unknown
    if not unknown:
        yield from _circles(entries)


def find_unknown(status_page: object, services: object) -> Iterator[str]:
    """Look at `[status_page] services`. Without `[[services]]` the built-in ones are meant, or found ones."""
    known = {id_ for _, id_, _ in _entries(services)}
    chosen = _strings(status_page.get("services")) if isinstance(status_page, dict) else []
    for index, each in enumerate(chosen):
        if known and each not in known:
            near = nearest(each, sorted(known))
            yield f"status_page.services[{index}]: found {show(each)}, expected the id of a service{near}"


def _entries(services: object) -> list[tuple[int, str, list[str]]]:
    """Give index, id and dependencies of each table that has an id."""
    tables = enumerate(services if isinstance(services, list) else [])
    return [
        (index, table["id"], _strings(table.get("depends_on")))
        for index, table in tables
        if isinstance(table, dict) and isinstance(table.get("id"), str)
    ]


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _duplicates(entries: list[tuple[int, str, list[str]]]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, id_, _ in entries:
        if id_ in first:
            yield f"services[{index}].id: found {show(id_)}, which services[{first[id_]}] has already"
        first.setdefault(id_, index)


def _unknown(entries: list[tuple[int, str, list[str]]], known: set[str]) -> Iterator[str]:
    for index, id_, needs in entries:
        for need in needs:
            if need not in known:
                near = nearest(need, sorted(known - {id_}))
                yield f"services[{index}].depends_on: found {show(need)}, expected the id of a service{near}"


def _circles(entries: list[tuple[int, str, list[str]]]) -> Iterator[str]:
    try:
        graphlib.TopologicalSorter({id_: needs for _, id_, needs in entries}).prepare()
    except graphlib.CycleError as circle:
        ids = list(reversed(circle.args[1]))
        index = next(index for index, id_, _ in entries if id_ == ids[0])
        yield f"services[{index}].depends_on: goes round in a circle: {' → '.join(ids)}"
