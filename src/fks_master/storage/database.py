"""The handle to what is kept: two calls, the same for SQLite and PostgreSQL.

SQL is written once, in the dialect that both understand, with `:name` for parameters. Times are whole milliseconds
since 1970 (`..._ms`), structures are JSON text.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z_0-9]*)")

Values = Mapping[str, Any] | tuple[Any, ...]
Failpoint = Callable[[str], None]


def no_failpoint(_: str) -> None:
    """Stand in where nobody wants to be told of each durable step."""


class Row(Protocol):
    """One row of an answer: by column name, by position, or unpacked."""

    def __getitem__(self, key: int | str, /) -> Any: ...  # noqa: ANN401 - what a column holds only the caller knows
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Query(msgspec.Struct, frozen=True):
    """One statement by name. `names` are its parameters in order of appearance, each once.

    `with_marks` has `?` for rows given as tuples, where each parameter must appear once; `with_numbers` has `$1`, as
    PostgreSQL wants it.
    """

    name: str
    text: str
    names: tuple[str, ...]
    with_marks: str
    with_numbers: str

    @classmethod
    def parse(cls, name: str, text: str) -> "Query":
        names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        numbered = _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", text)
        return cls(name, text, names, _PARAMETER.sub("?", text), numbered)

    def __call__(self, **values: object) -> "Statement":
        return Statement(self, (values,))

    def many(self, rows: Sequence[Values]) -> "Statement":
        return Statement(self, rows)


class Statement(msgspec.Struct, frozen=True):
    """A query with the rows it is to run for."""

    query: Query
    rows: Sequence[Values]


class Database(Protocol):
    """One store. Both calls raise StoreUnavailableError while it cannot be reached, and try anew the next time."""

    async def open(self) -> None:
        """Connect and migrate. Raises SchemaError for a store that a newer version has written."""
        ...

    async def execute(self, *statements: Statement) -> None:
        """Run all in one transaction; they are on disk when this returns. Raises StatementRefusedError."""
        ...

    async def relieve(self, *statements: Statement) -> None:
        """Run statements that make room, as `execute` does, on a full disk with the help of a reserve."""
        ...

    async def fetch(self, query: Query, **values: object) -> Sequence[Row]: ...

    def take_set_aside(self) -> Path | None:
        """Return, once, where a store that was found corrupt has been put; a fresh one is in its place."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go."""
        ...


def to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
