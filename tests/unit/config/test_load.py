"""Every mistake is told, with where, what was found and what would be right."""

from pathlib import Path

import pytest

from fks_master.config.environment import LogLevel, read_environment
from fks_master.config.load import load
from fks_master.errors import ConfigError

ONE = '[[services]]\nid = "one"\nhealth_endpoint = "http://one/health"\n'

MISTAKES = {
    "[monitorin]\n": 'did you mean "monitoring"',
    "[monitoring]\nbatchsize = 5\n": 'did you mean "batch_size"',
    "[monitoring]\nbatch_size = 0\n": "monitoring.batch_size",
    "[monitoring]\nbatch_size = '5'\n": "monitoring.batch_size",
    "[monitoring]\ncheck_interval_seconds = nan\n": "monitoring.check_interval_seconds",
    "[alerts]\nwebhook_url = 'hooks.slack.com'\n": "alerts.webhook_url",
    "[alerts]\nconsecutive_failures_threshold = 0\n": "alerts.consecutive_failures_threshold",
    "[[alerts.rules]]\nkind = 'slow'\n": "expected one of degraded, latency",
    "[[alerts.rules]]\nkind = 'degraded'\nabove_ms = 5\n": "which knows for_seconds",
    "[[alerts.rules]]\nkind = 'cpu'\n[[alerts.rules]]\nkind = 'cpu'\n": "which another rule has already",
    "[[alerts.rules]]\nkind = 'cpu'\nname = 'fast'\n": "which another rule has already",
    "[[alerts.rules]]\nkind = 'cpu'\nwhere = ['team=~(a+)+']\n": "alerts.rules[0].where[0]",
    "[[alerts.routes]]\nreceivers = []\nwhere = ['team']\n": "alerts.routes[0].where[0]",
    ONE + "slo = { objective_percent = 100 }\n": "services[0].slo.objective_percent",
    "[server]\nallowed_origins = ['ops.example']\n": "server.allowed_origins[0]",
    "[server]\nallowed_origins = ['https://ops.example/path']\n": "server.allowed_origins[0]",
    "[server]\nallowed_hosts = ['a b']\n": "server.allowed_hosts[0]",
    "[server]\ntrusted_proxies = ['10.0.0.0/99']\n": "server.trusted_proxies[0]",
    "[compose]\nenvironment = ['A-B']\n": "compose.environment[0]",
    "[history]\nurl = 'mysql://x'\n": "history.url",
    "[control]\nenabled = 'no'\n": "control.enabled",
    "[[api_keys]]\nname = 'a'\nhash = 'secret'\n": "as `fks_master keys new` prints them",
    "[[api_keys]]\nname = 'a b'\nhash = 'x'\nscope = 'root'\nexpires = 'soon'\n": "one of read, operate, admin",
    "services = 5\n": "services",
    ONE + ONE: "services[1].id",
    '[[services]]\nid = "one"\n': "health_endpoint",
    '[[services]]\nhealth_endpoint = "http://one/"\n': "id",
    '[[services]]\nid = "a/b"\nhealth_endpoint = "http://one/"\n': "services[0].id",
    '[[services]]\nid = "one"\nhealth_endpoint = "ftp://one/"\n': "services[0].health_endpoint",
    '[[services]]\nid = "one"\nhealth_endpoint = "http://one:99999/"\n': "services[0].health_endpoint",
    ONE.replace("http://one/health", "docker://a/b"): 'such as "docker://fks_db"',
    ONE.replace("http://one/health", "docker://db:80"): 'such as "docker://fks_db"',
    ONE + "[services.tls]\nkey = 'key.pem'\n": "services[0].tls.certificate",
    ONE + 'service_type = "Databse"\n': 'did you mean "Database"',
    ONE + 'depends_on = ["two"]\n': "services[0].depends_on",
    ONE + 'depends_on = ["one"]\n': "goes round in a circle: one → one",
    ONE + "timeout_seconds = -1\n": "services[0].timeout_seconds",
    ONE + "labels = { team = 5 }\n": "services[0].labels",
    "[monitoring\n": "line 1",
    "a = 1\na = 2\n": "line 2",
    "x = " + "[" * 5000: "nested",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert MISTAKES[text] in str(error.value)
    assert str(error.value).startswith(str(path))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text("[monitoring]\nbatch_size = 0\n[server]\nallowed_hosts = [5]\n[[services]]\nid = 'x y'\n")
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert len(error.value.mistakes) == 4


def test_a_cycle_of_needs_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(ONE + 'depends_on = ["two"]\n' + ONE.replace("one", "two") + 'depends_on = ["one"]\n')
    with pytest.raises(ConfigError):
        load(path, {})


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_bytes(b"# fine\n# \xff\n")
    with pytest.raises(ConfigError, match="line 2"):
        load(path, {})


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(None, {"FKS_MONITOR_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


@pytest.mark.parametrize("source", ["/dev/zero", "/dev/null/x"])
def test_what_is_no_file_does_not_fill_the_memory(source: str) -> None:
    with pytest.raises(ConfigError, match=r"larger than 16 MiB|no such file"):
        load(Path(source), {})


def test_the_shipped_file_says_what_is_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = load(Path(__file__).parents[3] / "config" / "monitor.toml", {})
    monkeypatch.chdir(tmp_path)
    built_in = load(None, {})
    assert [(one.id, one.health_endpoint, one.critical) for one in shipped.services] == [
        (one.id, one.health_endpoint, one.critical) for one in built_in.services
    ]


def test_a_watched_container_is_the_one_that_is_acted_on(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(ONE.replace("http://one/health", "docker://Fks_DB"))
    assert load(path, {}).services[0].docker_container == "Fks_DB"


def test_the_environment_is_read() -> None:
    found = read_environment(
        {
            "FKS_MASTER_HOST": "0.0.0.0", "FKS_MASTER_PORT": "80", "FKS_MONITOR_API_KEY": "k", "FKS_WS_JWT_SECRET": "s",
            "FKS_WS_JWT_ALLOWED_ROLES": "a, b", "FKS_OTEL_ENDPOINT": "http://otel:4318",
            "FKS_TRACE_SAMPLE_RATIO": "0.5",
            "FKS_JSON_LOG": "true", "FKS_LOG_LEVEL": "WARN", "FKS_SERVICE_NAME": "",
        }
    )  # fmt: skip
    assert (found.host, found.port, found.api_key, found.ws_jwt_secret) == ("0.0.0.0", 80, "k", "s")
    assert found.ws_jwt_allowed_roles == ("a", "b")
    assert (found.json_log, found.log_level, found.service_name) == (True, LogLevel.WARNING, "fks_master")
    assert "'k'" not in repr(found)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("info", "info"),
        ("hyper=warn,debug", "debug"),
        ("fks_master=error,info", "error"),
        ("nonsense", "info"),
        ("trace", "debug"),
    ],
)
def test_filters_of_rust_programs_are_understood(said: str, level: str) -> None:
    assert read_environment({"RUST_LOG": said}).log_level.value == level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FKS_MASTER_PORT", "70000"),
        ("FKS_MASTER_PORT", "many"),
        ("FKS_TRACE_SAMPLE_RATIO", "2"),
        ("FKS_TRACE_SAMPLE_RATIO", "half"),
        ("FKS_JSON_LOG", "perhaps"),
        ("FKS_LOG_LEVEL", "loud"),
        ("FKS_OTEL_ENDPOINT", "otel"),
        ("FKS_WS_JWT_ALLOWED_ROLES", ","),
        ("FKS_MONITOR_API_KEY", "  "),
        ("FKS_MONITOR_API_KEY_FILE", "/nonexistent"),
    ],
)
def test_a_wrong_variable_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_environment({name: value})


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "empty").write_text("\n")
    assert read_environment({"FKS_MONITOR_API_KEY_FILE": str(tmp_path / "key")}).api_key == "from a file"
    for wrong in (
        {"FKS_MONITOR_API_KEY_FILE": str(tmp_path / "empty")},
        {"FKS_MONITOR_API_KEY_FILE": str(tmp_path / "key"), "FKS_MONITOR_API_KEY": "k"},
    ):
        with pytest.raises(ConfigError, match="FKS_MONITOR_API_KEY"):
            read_environment(wrong)
