"""The past: incidents with their evidence, results and roll-ups, uptime."""

from fks_master.storage import load_migrations

MIGRATIONS = load_migrations("fks_master.history", "history")
