"""Push checks: jobs and workers say themselves that they live, and what is due and does not come is a failure."""

from fks_master.storage import load_migrations

MIGRATIONS = load_migrations("fks_master.heartbeats", "heartbeats")
