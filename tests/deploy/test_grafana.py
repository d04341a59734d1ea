"""The dashboards, and whether Prometheus can answer what they and the rules ask."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.deploy.test_prometheus import CONFIG, DEPLOY, export
from tests.process import Monitor, monitor, wait_for
from tests.tools import free_port, tool

from fks_master.cli import main

DASHBOARDS = {path.stem: path for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))}
METRIC = re.compile(r"\bfks_(?!master\b)\w+")
# What has nothing to show in a fleet without containers, certificates, credentials and receivers.
MAY_BE_EMPTY = re.compile(
    "slo|alerts_opened|usage|memory|network|block|certificate|restarts|notifications|compose|status=~|fks_alerts_active"
)


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def every_expression() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"][0]["rules"]
    shown = [each for path in DASHBOARDS.values() for each in expressions(json.loads(path.read_text()))]
    return [*(one["expr"] for one in rules), *shown]


def filled(expression: str) -> str:
    """Put in what Grafana would."""
    values = {"$__rate_interval": "1m", "$__range": "5m", "$__interval": "1s", "$service": "fks_api"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Callable[[str], Any]]:
    """Run a Prometheus that reads a monitor twice a second, and give what asks it."""
    port = free_port()
    found = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    found["scrape_configs"][0] |= {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
    found["scrape_configs"][0]["static_configs"] = [{"targets": [urllib.parse.urlsplit(target).netloc]}]
    found["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(found))
    command = [tool("prometheus", "prometheus"), f"--config.file={folder}/prometheus.yml"]
    command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield lambda expression: ask(port, expression)
        finally:
            process.kill()


def ask(port: int, expression: str) -> Any:
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it still starts
            return []
        pytest.fail(f"{expression}: {error.read().decode()}")
    except OSError:
        return []


@pytest.fixture(scope="module")
def demo() -> Iterator[Monitor]:
    with monitor("demo", "--interval", "0.3", "--calm") as one:
        wait_for(lambda: one.get("/health/aggregate")["healthyServices"] == 11)
        yield one


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_shipped_dashboard_is_the_one_that_the_program_writes(name: str) -> None:
    assert export("grafana", name, "--general") == DASHBOARDS[name].read_text()


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_their_own_numbers_and_places(name: str) -> None:
    panels = json.loads(DASHBOARDS[name].read_text())["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (one["gridPos"] for one in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_metric_that_is_asked_for_exists(demo: Monitor) -> None:
    text = demo.request("/metrics")[2].decode()
    known = {
        name + suffix
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
        for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
    }
    asked = {name for each in every_expression() for name in METRIC.findall(re.sub(r'"[^"]*"', '""', each))}
    assert len(asked) > 20
    assert asked <= known


def test_prometheus_answers_everything_that_is_asked(demo: Monitor, tmp_path: Path) -> None:
    with prometheus(demo.address, tmp_path) as asked:
        wait_for(lambda: asked("count_over_time(fks_http_requests_total{path='/metrics'}[1m]) >= 3"))
        for each in every_expression():
            found = asked(filled(each))
            is_condition = re.search(r"(==|>=?|<) [0-9.]+$|absent", each)
            assert found or is_condition or MAY_BE_EMPTY.search(each), each


def test_dashboards_for_a_config_know_its_groups_services_and_thresholds(tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(CONFIG)
    export("grafana", "--config", config, "-o", tmp_path / "made")
    fleet, service = (json.loads((tmp_path / "made" / f"{name}.json").read_text()) for name in ("fleet", "service"))
    rows = {one["title"]: one["targets"][0]["expr"] for one in fleet["panels"] if one["type"] == "state-timeline"}
    assert rows["Status: shop"] == r'fks_service_health_status{service_id=~"shop\\.api"}'
    assert rows["Status"] == r'fks_service_health_status{service_id=~"shop\\.web|backup|mail"}'
    variable = service["templating"]["list"][1]
    assert variable["query"] == "The shop's API : shop.api, shop.web : shop.web, backup : backup, Mail in out : mail"
    limits = [one["fieldConfig"]["defaults"].get("thresholds") for one in fleet["panels"] if "95" in one["title"]]
    assert limits[0]["steps"][-1]["value"] == 30


def test_all_three_want_a_folder() -> None:
    done = CliRunner().invoke(main, ["export", "grafana", "--general"])
    assert done.exit_code == 2
    assert "--output" in done.output
