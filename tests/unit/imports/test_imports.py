import json
import sqlite3
import stat
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from fks_master.cli import main
from fks_master.config.load import check, load
from fks_master.errors import ConfigError
from fks_master.imports import gatus, toml, uptime_kuma
from fks_master.imports.kuma_database import NAMES

SAMPLES = Path(__file__).parent / "samples"
KUMA = SAMPLES / "uptime_kuma.json"
GATUS = SAMPLES / "gatus.yaml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


def services_of(text: str) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in tomllib.loads(text)["services"]}


@pytest.fixture(scope="module")
def kuma() -> str:
    return uptime_kuma.read(KUMA.read_text()).text()


@pytest.fixture(scope="module")
def from_gatus() -> str:
    return gatus.read(GATUS.read_text()).text()


@pytest.mark.parametrize(("kind", "sample"), [("uptime-kuma", KUMA), ("gatus", GATUS)])
def test_what_is_written_is_a_config_that_loads(kind: str, sample: Path, tmp_path: Path) -> None:
    target = tmp_path / "monitor.toml"
    done = run(kind, sample, "-o", target)
    assert done.exit_code == 0, done.output
    assert len(load(target, {}).services) == (8 if kind == "uptime-kuma" else 9)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600  # it holds addresses of receivers


def test_an_http_monitor_keeps_how_it_asks_and_what_it_wants(kuma: str) -> None:
    assert services_of(kuma)["shop_uber_api"] == {
        "id": "shop_uber_api",
        "name": "Shop \u2013 Über-API",
        "health_endpoint": 'https://shop.example/health?deep="1"',
        "detailed": False,
        "interval_seconds": 20,
        "timeout_seconds": 16,
        "group": "Shop",
        "labels": {"team": "web"},
        "http": {
            "method": "POST",
            "headers": {"X-Probe": "kuma", "Authorization": "Basic dTpw"},
            "body": '{"a": 1}',
            "expected_status": ["200-299", "401"],
            "follow_redirects": True,
        },
        "tls": {"verify": False},
    }


@pytest.mark.parametrize(
    ("id_", "endpoint", "table", "options"),
    [
        ("landing_page", "http://shop.example/", "http", {"excludes": ["Error"]}),
        ("queue", "http://queue.example/stats", "http", {"follow_redirects": True, "json": {"$.queue.depth": "< 100"}}),
        ("mail_server", "tcp://mail.example:25", "tcp", None),
        ("zone", "dns://1.1.1.1:53/example.org", "dns", {"record": "MX"}),
        ("worker_container", "docker://shop-worker-1", "http", None),
        ("database", "tcp://db.example:5433", "tcp", None),
        ("backup_job", "heartbeat://", "http", None),
    ],
)
def test_each_type_of_monitor_becomes_a_check(
    kuma: str, id_: str, endpoint: str, table: str, options: dict[str, Any] | None
) -> None:
    found = services_of(kuma)[id_]
    assert (found["health_endpoint"], found.get(table)) == (endpoint, options)


def test_notifications_become_receivers_and_routes(kuma: str) -> None:
    alerts = tomllib.loads(kuma)["alerts"]
    assert [each["kind"] for each in alerts["receivers"]] == ["slack", "telegram", "email"]
    assert alerts["receivers"][2]["email"] == {
        "from": "kuma@example.org",
        "to": ["a@example.org", "b@example.org"],
        "username": "kuma",
    }
    told = {tuple(each["receivers"]): each["services"] for each in alerts["routes"]}
    assert told["ops_slack", "boss"] == ["shop_uber_api"]
    assert "mail_server" in told["ops_slack",]


def test_what_most_monitors_retried_becomes_the_threshold(kuma: str) -> None:
    assert tomllib.loads(kuma)["alerts"]["consecutive_failures_threshold"] == 2
    assert "'Queue': it was told after 6 failures" in kuma


@pytest.mark.parametrize(
    "remark",
    [
        "'Router' is left out: ping",
        "'Backup job': its job must call POST /api/heartbeat/ and its token of old",
        "'Old thing' is left out: it was paused",
        "'Must not answer' is left out: it was upside down",
        "'Pager of old' is left out",
        "'Nowhere' is left out: services[0].health_endpoint",
        "nobody is told about queue",
        "only whether postgres takes connections is checked",
    ],
)
def test_what_could_not_be_carried_over_stands_there(kuma: str, remark: str) -> None:
    assert remark in kuma


def test_it_is_said_on_the_screen_too_and_passwords_are_not() -> None:
    done = run("uptime-kuma", KUMA)
    assert "'Router' is left out" in done.stderr
    assert "8 services, 3 receivers" in done.stderr
    assert "hunter2" not in done.output


TABLES = """
CREATE TABLE monitor (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN DEFAULT 1, interval INTEGER, url TEXT,
  type TEXT,
  hostname TEXT, port INTEGER, keyword TEXT, maxretries INTEGER DEFAULT 0, ignore_tls BOOLEAN DEFAULT 0,
  upside_down BOOLEAN DEFAULT 0, maxredirects INTEGER DEFAULT 10, accepted_statuscodes_json TEXT DEFAULT '["200-299"]',
  dns_resolve_type TEXT, dns_resolve_server TEXT, push_token TEXT, method TEXT DEFAULT 'GET', body TEXT, headers TEXT,
  basic_auth_user TEXT, basic_auth_pass TEXT, docker_host INTEGER, docker_container TEXT, proxy_id INTEGER,
  database_connection_string TEXT, auth_method TEXT, parent INTEGER, invert_keyword BOOLEAN DEFAULT 0, json_path TEXT,
  json_path_operator TEXT, expected_value TEXT, timeout DOUBLE);
CREATE TABLE notification (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN, is_default BOOLEAN, config TEXT);
CREATE TABLE monitor_notification (id INTEGER PRIMARY KEY, monitor_id INTEGER, notification_id INTEGER);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT, color TEXT);
CREATE TABLE monitor_tag (id INTEGER PRIMARY KEY, monitor_id INTEGER, tag_id INTEGER, value TEXT);
"""


def kuma_database(path: Path) -> None:
    """Write the sample as Uptime Kuma keeps it."""
    columns = {theirs: ours for ours, theirs in NAMES.items()}
    document = json.loads(KUMA.read_text())
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(TABLES)
        known = {row[1] for row in database.execute("PRAGMA table_info(monitor)")}
        for each in document["notificationList"]:
            database.execute("INSERT INTO notification (id, name, config) VALUES (:id, :name, :config)", each)
        for monitor in document["monitorList"]:
            row = {columns.get(name, name): value for name, value in monitor.items()}
            row["accepted_statuscodes_json"] = json.dumps(monitor["accepted_statuscodes"])
            kept = {name: value for name, value in row.items() if name in known}
            places = ", ".join(f":{name}" for name in kept)
            database.execute(f"INSERT INTO monitor ({', '.join(kept)}) VALUES ({places})", kept)  # noqa: S608 - our own
            for notification in monitor["notificationIDList"]:
                pair = (monitor["id"], int(notification))
                database.execute("INSERT INTO monitor_notification (monitor_id, notification_id) VALUES (?, ?)", pair)
            for tag in monitor.get("tags", ()):
                database.execute("INSERT INTO tag VALUES (?, ?, ?)", (tag["tag_id"], tag["name"], tag["color"]))
                values = (monitor["id"], tag["tag_id"], tag["value"])
                database.execute("INSERT INTO monitor_tag (monitor_id, tag_id, value) VALUES (?, ?, ?)", values)


def test_the_database_gives_what_a_backup_gives(kuma: str, tmp_path: Path) -> None:
    kuma_database(tmp_path / "kuma.db")
    from_database = run("uptime-kuma", tmp_path / "kuma.db").stdout
    tokens = {each["heartbeat"]["token"] for each in services_of(from_database).values() if "heartbeat" in each}
    assert tokens == {each["heartbeat"]["token"] for each in services_of(kuma).values() if "heartbeat" in each}
    assert from_database.partition("\n")[2] == kuma.partition("\n")[2]


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE other (id)")
    done = run("uptime-kuma", tmp_path / "other.db")
    assert done.exit_code == 1
    assert "not a database of Uptime Kuma" in done.output


def test_a_list_of_monitors_will_do(tmp_path: Path) -> None:
    path = tmp_path / "monitors.json"
    path.write_text(json.dumps([{"name": "A", "type": "http", "url": "http://a.example", "interval": 30}]))
    assert services_of(run("uptime-kuma", path).stdout)["a"]["interval_seconds"] == 30


def test_conditions_of_gatus_become_options(from_gatus: str) -> None:
    website = services_of(from_gatus)["website"]
    assert website["http"] == {
        "headers": {"Authorization": "Bearer ${TOKEN}"},
        "follow_redirects": True,
        "expected_status": ["200"],
        "json": {
            "status": "== UP",
            "queue.depth": "< 100",
            "version": r"~ (?s)\A2\..*\z",
            "build": "exists",
        },
    }
    assert website["tls"] == {"verify": False, "warn_days": 2}
    assert (website["interval_seconds"], website["timeout_seconds"]) == (300, 2.5)
    assert website["expected_response_time_ms"] == 300
    assert "its condition 'len([BODY].items) > 0' is not possible here" in from_gatus


@pytest.mark.parametrize(
    ("id_", "expected"),
    [("front", ["200-299"]), ("any_status", ["100-599"]), ("some_statuses", ["200", "429"])],
)
def test_conditions_on_the_status_become_ranges(from_gatus: str, id_: str, expected: list[str]) -> None:
    assert services_of(from_gatus)[id_]["http"]["expected_status"] == expected


@pytest.mark.parametrize(
    ("id_", "endpoint", "table", "options"),
    [
        ("zone", "dns://8.8.8.8:53/example.com", "dns", {"record": "A", "expected": ["93.184.216.34"]}),
        ("database", "tcp://db.example:5432", "tcp", None),
        ("imap", "tls://mail.example:993", "tls", {"warn_days": 10}),
        ("smtp", "tcp://mail.example:587", "tls", None),
        ("backup", "heartbeat://", "heartbeat", {"token": "a-secret-of-old-times", "period_seconds": 1800}),
    ],
)
def test_other_endpoints_become_checks(
    from_gatus: str, id_: str, endpoint: str, table: str, options: dict[str, Any] | None
) -> None:
    found = services_of(from_gatus)[id_]
    assert (found["health_endpoint"], found.get(table)) == (endpoint, options)


def test_alerting_of_gatus_becomes_receivers_routes_thresholds_and_a_window(from_gatus: str) -> None:
    alerts = tomllib.loads(from_gatus)["alerts"]
    assert [each["name"] for each in alerts["receivers"]] == ["slack", "ntfy"]
    assert [each["services"] for each in alerts["routes"]] == [["website"], ["front"]]
    assert (alerts["consecutive_failures_threshold"], alerts["consecutive_successes_threshold"]) == (5, 2)
    assert alerts["maintenance"] == [
        {"name": "maintenance", "from": "23:30", "to": "00:30", "weekdays": ["mon", "thu"], "zone": "Europe/Amsterdam"}
    ]


@pytest.mark.parametrize(
    "remark", ["'router' is left out", "'off' is left out", "'backup': its job must call", "${NAME}"]
)
def test_what_gatus_has_and_we_do_not_stands_there(from_gatus: str, remark: str) -> None:
    assert remark in from_gatus


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1.5h", 5400), ("soon", None), ("", None), ("5", None)],
)
def test_a_duration_of_go_is_read(text: str, expected: float | None) -> None:
    assert gatus.seconds(text) == expected


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        ("uptime-kuma", "{", "not JSON"),
        ("uptime-kuma", "{}", "no monitorList"),
        ("gatus", "a: [", "not YAML"),
        ("gatus", "a: b", "no endpoints"),
        ("gatus", "!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_what_is_something_else_is_refused(kind: str, content: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    done = run(kind, path)
    assert done.exit_code == 1
    assert complaint in done.output


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "monitor.toml"
    target.write_text("mine")
    assert run("gatus", GATUS, "-o", target).exit_code == 1
    assert target.read_text() == "mine"


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.text(min_size=1), st.text() | st.integers(-(2**60), 2**60) | st.booleans() | st.lists(st.text()))
)
def test_any_table_reads_back_as_it_was(values: dict[str, Any]) -> None:
    written = "\n".join(toml.table("[x]", values))
    assert tomllib.loads(written)["x"] == json.loads(json.dumps(values))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("name", "type", "url", "hostname", "port", "headers", "tags", "interval", "maxretries", "parent", "method")
MORE = ("accepted_statuscodes", "notificationIDList", "dns_resolve_server", "databaseConnectionString", "jsonPath")


TYPES = st.sampled_from(["http", "keyword", "json-query", "port", "dns", "docker", "redis", "group", "push"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, *MORE), JSON) | {"type": TYPES})))
def test_whatever_monitors_hold_what_is_written_loads(monitors: list[dict[str, Any]]) -> None:
    check(uptime_kuma.read(json.dumps({"monitorList": monitors})).text().encode(), "draft")


def test_a_mistake_in_our_own_writing_would_be_caught() -> None:
    with pytest.raises(ConfigError):
        check(b"[[services]]\nid = 1\n", "draft")


ENDPOINT = {
    "name": JSON, "group": JSON, "interval": JSON, "headers": JSON, "body": JSON, "client": JSON, "dns": JSON,
    "alerts": JSON, "method": JSON, "extra-labels": JSON,
    "url": st.sampled_from(["http://a.example", "tcp://a.example:1", "8.8.8.8", "tls://a.example", "icmp://a", "https://"]),
    "conditions": JSON | st.lists(
        st.builds(
            "{} {} {}".format,
            st.sampled_from(["[STATUS]", "[BODY]", "[BODY].a[0]", "[RESPONSE_TIME]", "[CERTIFICATE_EXPIRATION]"]),
            st.sampled_from(["==", "<", ">=", "!="]),
            st.text() | st.sampled_from(["200", "pat(a*[)", "any(1, 2)", "48h", "x", "len(3)"]),
        )
    ),
}  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(st.fixed_dictionaries({}, optional=ENDPOINT), min_size=1), JSON, JSON)
def test_whatever_endpoints_hold_what_is_written_loads(
    endpoints: list[object], alerting: object, window: object
) -> None:
    document = {"endpoints": endpoints, "alerting": alerting, "maintenance": window}
    check(gatus.read(json.dumps(document)).text().encode(), "draft")
