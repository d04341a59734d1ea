"""What is kept on disk: a database behind one protocol, migrations, SQL by name, and the journal of changes.

A part that keeps tables of its own puts `sql/migrations/NNNN_name.sql` and `sql/queries.sql` beside its code, and reads
them with `load_migrations` and `load_queries`; `app` hands all migrations to the database.
"""

from fks_master.storage.database import Database, Query, Row, Statement
from fks_master.storage.journal import Contributor, Journal
from fks_master.storage.late import Restored, TakenUp
from fks_master.storage.queries import Migration, load_migrations, load_queries

__all__ = [
    "Contributor",
    "Database",
    "Journal",
    "Migration",
    "Query",
    "Restored",
    "Row",
    "Statement",
    "TakenUp",
    "load_migrations",
    "load_queries",
]
