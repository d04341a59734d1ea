import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.tools import tool

from fks_master.cli import main

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus"

CONFIG = """
[monitoring]
check_interval_seconds = 60
[alerts]
consecutive_failures_threshold = 4
high_latency_threshold_ms = 30000
[[services]]
id = "shop.api"
name = "The shop's API"
health_endpoint = "https://shop.example/health"
critical = true
group = "shop"
[services.tls]
warn_days = 30
[[services]]
id = "shop.web"
health_endpoint = "http://shop.example"
critical = true
interval_seconds = 5
[[services]]
id = "backup"
health_endpoint = "heartbeat://"
[services.heartbeat]
token = "0123456789abcdef"
period_seconds = 3600
[[services]]
id = "mail"
name = "Mail: in, out"
health_endpoint = "tcp://mail.example:25"
interval_seconds = 300
"""


def promtool(*arguments: str, folder: Path = RULES) -> str:
    command = [tool("promtool", package="prometheus"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    yield path
    assert "FKS_MONITOR_CONFIG" not in os.environ


def export(*arguments: object) -> str:
    done = CliRunner().invoke(main, ["export", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def rules_of(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"][0]["rules"]
    return found


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", "rules_test.yml")


def test_the_scrape_configuration_is_sound() -> None:
    promtool("check", "config", "prometheus.yml")


def test_the_shipped_rules_are_those_that_the_program_writes() -> None:
    assert export("prometheus-rules", "--general") == (RULES / "rules.yml").read_text()


def test_rules_fitted_to_a_config_are_sound_and_keep_its_thresholds(config: Path, tmp_path: Path) -> None:
    export("prometheus-rules", "--config", config, "-o", tmp_path / "rules.yml")
    promtool("check", "rules", "--lint-fatal", "rules.yml", folder=tmp_path)
    rules = rules_of((tmp_path / "rules.yml").read_text())
    down = {re.findall('"(.*)"', one["expr"])[0]: one["for"] for one in rules if one["alert"].endswith("ServiceDown")}
    # Four failures in a row, at each one's own interval; a job that does not report is down at once.
    assert down == {r"shop\\.api": "180s", r"shop\\.web": "15s", "backup": "0s", "mail": "900s"}


def test_fitted_rules_tell_of_a_service_after_as_many_failures_as_the_monitor(config: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(export("prometheus-rules", "--config", config))
    api = '{service_id="shop.api",service_name="S",service_type="Api",critical="true"}'
    other = '{service_id="shopxapi",service_name="X",service_type="Api",critical="true"}'
    labels = {"service_id": "shop.api", "service_name": "S", "service_type": "Api", "critical": "true"}
    alert = {
        "exp_labels": {**labels, "severity": "critical", "after": "180s"},
        "exp_annotations": {"summary": "S is unhealthy, and critical"},
    }
    series = [{"series": f"fks_service_health_status{each}", "values": "1 3x20"} for each in (api, other)]
    late = [{"eval_time": "5m", "alertname": "FksCriticalServiceDown", "exp_alerts": [alert]}]
    early = [{"eval_time": "3m", "alertname": "FksCriticalServiceDown", "exp_alerts": []}]
    tests = [{"interval": "1m", "input_series": series, "alert_rule_test": early + late}]
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    promtool("test", "rules", "test.yml", folder=tmp_path)


def test_a_latency_beyond_the_highest_bucket_can_still_be_reached(config: Path) -> None:
    slow = next(one for one in rules_of(export("prometheus-rules", "--config", config)) if "Slow" in one["alert"])
    assert slow["expr"].endswith(">= 10")


def test_certificates_warn_as_early_as_the_config_says(config: Path) -> None:
    found = [one["expr"] for one in rules_of(export("prometheus-rules", "--config", config)) if "Cert" in one["alert"]]
    assert [re.sub(".*< ", "", one) for one in found] == [str(30 * 86400)]


def test_a_file_that_cannot_be_written_is_said(config: Path) -> None:
    done = CliRunner().invoke(main, ["export", "prometheus-rules", "--config", str(config), "-o", "/nowhere/rules.yml"])
    assert done.exit_code == 1
    assert "/nowhere/rules.yml" in done.output
