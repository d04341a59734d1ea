"""SQL from files: queries by name, and numbered migrations."""

import re
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from fks_master.storage.database import Query

_HEAD = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FILE = re.compile(r"(\d{4})_\w+\.sql")


class Migration(msgspec.Struct, frozen=True):
    """One step of a part's schema; numbers of a part begin at 1 and have no holes."""

    part: str
    number: int
    text: str

    def statements(self, dialect: Mapping[str, str]) -> list[str]:
        """Give the statements one by one, with `{blob}` and the like in the words of the store."""
        text = self.text
        for word, meaning in dialect.items():
            text = text.replace(f"{{{word}}}", meaning)
        return [one.strip() for one in text.split(";\n") if one.strip()]


def load_queries(package: str, file: str = "sql/queries.sql") -> dict[str, Query]:
    """Read `-- name: NAME` sections of a file that lies in `package`."""
    _, *parts = _HEAD.split(files(package).joinpath(file).read_text(encoding="utf-8"))
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: Query.parse(name, text.strip().removesuffix(";")) for name, text in pairs}


def load_migrations(package: str, part: str) -> tuple[Migration, ...]:
    """Read `sql/migrations/NNNN_name.sql` of `package`, in order."""
    folder = files(package).joinpath("sql/migrations")
    found = sorted((entry for entry in folder.iterdir() if _FILE.fullmatch(entry.name)), key=lambda entry: entry.name)
    return tuple(Migration(part, int(entry.name[:4]), entry.read_text(encoding="utf-8")) for entry in found)
