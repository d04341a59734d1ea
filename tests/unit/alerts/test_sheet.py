"""The sheet of rules: what is in force, in words, and of whom it holds."""

import pytest

from fks_master.alerts.rules import Rule, RuleKind
from fks_master.alerts.rules.sheet import Facts, RuleLine, RuleState, condition, sheet
from fks_master.rehearsal import Stage, read

SCRIPT = """
monitoring: {check_interval_seconds: 30}
alerts:
  webhook_url: "http://hook.invalid/"
  high_latency_threshold_ms: 800
  rules:
    - {kind: degraded, for_seconds: 600}
    - {kind: latency, name: slow-shop, services: [shop], above_ms: 700, window_seconds: 600, severity: critical}
    - {kind: job_failed}
    - {kind: cpu, where: ["group=none"]}
services:
  - {id: api, health_endpoint: "http://api/"}
  - {id: web, health_endpoint: "http://web/", slo: {objective_percent: 99.9}}
  - {id: shop, health_endpoint: "http://shop/"}
timeline:
  - {at: 3m, service: api, is: degraded, message: cold}
  - {at: 3m, service: shop, is: ok, ms: 900}
  - {at: 5m, event: ComposeFinished, data: {project: shop, state: failed, job_id: "7"}}
  - {at: 5m30s, service: web, is: fail}
until: 5m45s
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RuleLine]:
    path = tmp_path_factory.mktemp("sheet") / "script.yaml"
    path.write_text(SCRIPT)
    stage = Stage(read(path))
    stage.play()
    facts = Facts(stage.hub.services, stage.hub.states, stage.pipeline.alerts, stage.pipeline.world.policy)
    return {line.name: line for line in sheet(stage.book, facts)}


def test_every_rule_is_there_whether_it_was_written_or_not(lines: dict[str, RuleLine]) -> None:
    built_in = ["down", "high_latency", "flapping", "isolated", "fast", "slow"]
    assert list(lines) == [*built_in, "degraded", "slow-shop", "job_failed", "cpu"]
    assert [line.name for line in lines.values() if line.is_built_in] == built_in
    watched = {line.name: line.watched for line in lines.values()}
    assert watched | {"isolated": None} == {
        "down": 3, "high_latency": 3, "flapping": 3, "isolated": None, "fast": 1, "slow": 1, "degraded": 3,
        "slow-shop": 1, "job_failed": None, "cpu": 0,
    }  # fmt: skip


def test_what_has_not_held_for_its_time_is_pending(lines: dict[str, RuleLine]) -> None:
    assert (lines["degraded"].state, lines["down"].state) == (RuleState.PENDING, RuleState.PENDING)
    [degraded], [down] = lines["degraded"].about, lines["down"].about
    assert (degraded.service_id, degraded.message, degraded.alert_id) == ("api", "api is degraded: cold", None)
    assert degraded.since is not None
    assert f"{degraded.since:%H:%M}" == "12:03"
    assert (down.service_id, down.message) == ("web", "1 of 3 checks failed: Connection refused")


def test_what_is_an_alert_is_firing_and_names_it(lines: dict[str, RuleLine]) -> None:
    firing = {name: line for name, line in lines.items() if line.state is RuleState.FIRING}
    assert list(firing) == ["high_latency", "slow-shop", "job_failed"]
    assert firing["slow-shop"].about[0].alert_id == "LatencyHigh:slow-shop:shop"
    assert (firing["job_failed"].about[0].service_id, firing["job_failed"].about[0].subject) == (None, "shop")
    assert lines["cpu"].state is RuleState.INACTIVE


def test_a_condition_is_said_in_words(lines: dict[str, RuleLine]) -> None:
    assert lines["down"].condition == "3 checks in a row fail"
    assert lines["high_latency"].condition == "3 checks in a row take longer than 800 ms"
    assert lines["slow-shop"].condition == "the 95th percentile of its answers within 10 min is above 700 ms"
    assert lines["fast"].condition == "the error budget burns too fast: 14.4 times over 1 h or 6 times over 6 h"
    assert all(condition(Rule(kind=kind)) for kind in RuleKind)
