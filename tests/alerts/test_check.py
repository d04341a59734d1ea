"""`fks_master alerts check`: what it shows, and what it says of a file with mistakes."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fks_master.cli import main

BODY = """
alerts: {webhook_url: "http://hook.invalid/"}
services: [{id: api, health_endpoint: "http://api/"}]
timeline: [{at: 1m, service: api, is: fail}]
until: 10m
"""


def run(folder: Path, text: str) -> Result:
    file = folder / "night.yaml"
    file.write_text(text)
    return CliRunner().invoke(main, ["alerts", "check", str(file)])


def test_what_would_be_told_is_shown(tmp_path: Path) -> None:
    result = run(tmp_path, BODY)
    assert result.exit_code == 0
    assert "0:02:00.020  webhook  ServiceDown api  api is down: Connection refused" in result.output
    assert "open at the end: ServiceDown:api told" in result.output


def test_what_is_not_as_expected_is_marked(tmp_path: Path) -> None:
    expect = "expect: [{at: 3m, event: ServiceDown, service: api}, {event: ServiceUp}]\n"
    result = run(tmp_path, BODY + expect)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert lines[0].endswith("night.yaml: NOT as expected")
    assert lines[1:4] == [
        "- some time  anybody  ServiceUp",
        "+ 0:02:00.020  webhook  ServiceDown api  api is down: Connection refused",
        "- 0:03:00.000  anybody  ServiceDown api",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "expected a mapping"),
        ("a: [\n", "is no YAML"),
        (BODY + "expected: []\n", 'did you mean "expect"'),
        (BODY.replace("until: 10m\n", ""), "until: missing"),
        (BODY.replace("at: 1m", "at: soon"), 'a time such as "90s", "1h30m" or "2d"'),
        (BODY.replace("service: api, is", "service: web, is"), "expected the id of a service"),
        (BODY.replace("is: fail", "is: fail, restart: true"), "expected exactly one of is, event"),
        (BODY.replace("is: fail", "is: bad"), "one of ok, slow, degraded, fail"),
        (BODY.replace("http://api/", "api"), "services[0].health_endpoint"),
        (BODY + "expect: [{service: web}]\n", "expect[0].service"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    result = run(tmp_path, text)
    assert result.exit_code == 1
    assert said in result.output


def test_a_config_can_be_named_instead(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(
        '[alerts]\nwebhook_url = "http://h.invalid/"\n[[services]]\nid = "api"\nhealth_endpoint = "http://api/"\n'
    )
    text = "config: monitor.toml\ntimeline: [{at: 60, service: api, is: fail}]\nuntil: 600\n"
    assert "ServiceDown api" in run(tmp_path, text).output


def test_the_example_of_the_docs_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "alert-rules.md").read_text()
    result = run(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    assert result.exit_code == 0, result.output


def test_the_rules_of_the_docs_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "alert-rules.md").read_text()
    config = tmp_path / "monitor.toml"
    config.write_text("\n".join(block.split("```")[0] for block in page.split("```toml\n")[1:]))
    result = CliRunner().invoke(main, ["validate", str(config)])
    assert result.exit_code == 0, result.output
