"""What is to be done to bring a schema up to date: pure, the stores only carry it out."""

from collections.abc import Iterable, Mapping, Sequence

from fks_master.errors import SchemaError
from fks_master.storage.database import Query
from fks_master.storage.queries import Migration, load_migrations

JOURNAL = load_migrations("fks_master.storage", "journal")

CREATE_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations "
    "(part TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (part, number))"
)
APPLIED = Query.parse("applied", "SELECT part, MAX(number) AS number FROM schema_migrations GROUP BY part")
MARK = Query.parse("mark", "INSERT INTO schema_migrations (part, number) VALUES (:part, :number)")


def pending(known: Iterable[Migration], applied: Mapping[str, int]) -> Sequence[Migration]:
    """Give the migrations that are still to run, in the order given. Refuses a store that a newer version wrote."""
    known = list(known)
    newest = {migration.part: migration.number for migration in known}
    for part, number in applied.items():
        if part in newest and number > newest[part]:
            raise SchemaError(
                f"the store's schema of {part!r} has number {number}, this version knows {newest[part]}:"
                " a newer FKS Master has written it"
            )
    return [migration for migration in known if migration.number > applied.get(migration.part, 0)]
