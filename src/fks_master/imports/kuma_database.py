"""Uptime Kuma's own database, `kuma.db`: what a backup would say, as version 2 writes none any more.

Source of the tables: https://github.com/louislam/uptime-kuma, db/knex_init_db.js and its migrations.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from fks_master.errors import ConfigError

MAGIC = b"SQLite format 3\0"
# Columns whose names differ from those of a backup; all others are called alike.
NAMES = {
    "ignore_tls": "ignoreTls",
    "upside_down": "upsideDown",
    "push_token": "pushToken",
    "proxy_id": "proxyId",
    "auth_method": "authMethod",
    "database_connection_string": "databaseConnectionString",
    "invert_keyword": "invertKeyword",
    "json_path": "jsonPath",
    "json_path_operator": "jsonPathOperator",
    "expected_value": "expectedValue",
}

Row = Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """Read without writing; raises ConfigError for another program's database."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return _document(database)
    except sqlite3.Error as error:
        raise ConfigError(str(path), [f"not a database of Uptime Kuma: {error}"]) from error


def _document(database: sqlite3.Connection) -> dict[str, Any]:
    told: dict[int, dict[str, bool]] = defaultdict(dict)
    for row in database.execute("SELECT monitor_id, notification_id FROM monitor_notification ORDER BY id"):
        told[row["monitor_id"]][str(row["notification_id"])] = True
    tags: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in database.execute(
        "SELECT monitor_id, name, value FROM monitor_tag JOIN tag ON tag.id = tag_id ORDER BY monitor_tag.id"
    ):
        tags[row["monitor_id"]].append({"name": row["name"], "value": row["value"]})
    monitors = [
        {**_monitor(dict(row)), "notificationIDList": told[row["id"]], "tags": tags[row["id"]]}
        for row in database.execute("SELECT * FROM monitor ORDER BY id")
    ]
    notifications = [dict(row) for row in database.execute("SELECT id, name, config FROM notification ORDER BY id")]
    return {"monitorList": monitors, "notificationList": notifications}


def _monitor(row: Row) -> dict[str, Any]:
    found = {NAMES.get(name, name): value for name, value in row.items()}
    try:
        found["accepted_statuscodes"] = json.loads(row.get("accepted_statuscodes_json") or "[]")
    except (ValueError, RecursionError):
        found["accepted_statuscodes"] = []
    return found
