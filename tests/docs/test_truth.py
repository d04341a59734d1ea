"""What the documentation names exists: keys of the config, commands and their options, routes, metrics, files."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from tests.docker_engine import compose_plugin
from tests.docs.runner import CHECKOUT
from tests.process import monitor
from websockets.sync.client import connect

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import webhook
from fks_master.cli import main
from fks_master.config import walk
from fks_master.config.schema import File

PAGES = sorted(
    str(path.relative_to(CHECKOUT))
    for path in (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("docs/howto/*.md"))
    if path.name != "CHANGELOG.md"
)
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SERVICE = '[[services]]\nid = "one"\nhealth_endpoint = "http://one/"\n'
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]*)")
ADDRESS = re.compile(r"(?:localhost|127\.0\.0\.1):9090(/[\w/{}.-]*)")
METRIC = re.compile(
    r"\bfks_(?:service|monitor|http|alerts|notifications|slo|compose|restart|health_checks|websocket)_[a-z_]*[a-z]\b"
)
REPOSITORY = re.compile(r"`((?:deploy|scripts|docs|src|tests|bench|config)/[\w./-]+)`")
PLACES = {"TOKEN": "x", "NAME": "x", "ID": "x", "3": "3"}


class Facts(NamedTuple):
    """What the running program says of itself."""

    routes: dict[str, set[str]]
    metrics: set[str]


@pytest.fixture(scope="module")
def facts() -> Facts:
    with monitor() as one:
        paths: dict[str, dict[str, Any]] = one.get("/openapi.json")["paths"]
        kinds = re.findall(r"^# TYPE (\w+) (\w+)$", one.request("/metrics")[2].decode(), re.MULTILINE)
    suffixes = {"histogram": ("_bucket", "_sum", "_count", "")}
    metrics = {name + suffix for name, kind in kinds for suffix in suffixes.get(kind, ("",))}
    return Facts({path: {method.upper() for method in methods} for path, methods in paths.items()}, metrics)


@cache
def text_of(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def blocks(page: str, *kinds: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(text_of(page)) if kind in kinds]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")])
def test_every_table_has_keys_and_values_that_the_config_knows(page: str) -> None:
    for code in blocks(page, "toml"):
        plain = "\n".join(line.removeprefix("    ") if line.startswith("    ") else line for line in code.splitlines())
        whole = SERVICE + plain if plain.lstrip().startswith("[services.") else plain
        assert list(walk.find_mistakes(tomllib.loads(whole), File)) == [], code


def commands(page: str) -> Iterator[list[str]]:
    """Give each call of the program, without what the shell does around it."""
    lines = [line for code in blocks(page, "sh", "bash", "text") for line in code.splitlines()]
    for line in map(str.strip, [*lines, *INLINE.findall(BLOCK.sub("", text_of(page)))]):
        found = re.search(
            r"(?:^|[;&|(] *|exec |\.venv/bin/|\w=\S+ )fks_master (?!fks_master|[|:])(?:fks-entrypoint )?(.*)", line
        )
        if found:
            plain = re.sub(r"'[^']*'|\"[^\"]*\"", "quoted", found[1].replace("…", ""))
            words = re.split(r"[|>;]|&&| #", plain)[0].split()
            yield [word for word in words if word not in {"&", "exec"}]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_exists(page: str) -> None:
    for words in commands(page):
        command, context = main, click.Context(main, info_name="fks_master")
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-") and rest[0].islower():
            inner = command.get_command(context, rest.pop(0))
            assert inner is not None, words
            command = inner
        if command is main and rest and rest[0] not in {"--help", "--version"}:
            command = main.get_command(context, "serve") or main
        known = {each for param in command.params for each in (*param.opts, *param.secondary_opts)} | {
            "--help",
            "--version",
        }
        unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
        assert unknown == [], words


def is_a_route(path: str, method: str | None, routes: dict[str, set[str]]) -> bool:
    plain = "/".join(PLACES.get(part, part) for part in path.rstrip("/.").split("/")) or "/"
    for template, methods in routes.items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, plain) and (method is None or method in methods):
            return True
    return False


@pytest.mark.parametrize("page", PAGES)
def test_every_route_exists(page: str, facts: Facts) -> None:
    named = [(path, method) for method, path in ROUTE.findall(text_of(page))]
    called = [(path, None) for path in ADDRESS.findall(text_of(page)) if path != "/ws"]
    assert [each for each in (*named, *called) if not is_a_route(*each, facts.routes)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_metric_exists(page: str, facts: Facts) -> None:
    assert {name for name in METRIC.findall(text_of(page)) if name not in facts.metrics} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_the_repository_is_there(page: str) -> None:
    named = {name.rstrip("/.") for name in REPOSITORY.findall(text_of(page))}
    places = (CHECKOUT, CHECKOUT / "src" / "fks_master")
    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


@pytest.mark.parametrize("page", [page for page in PAGES if "/" not in page])
def test_every_link_of_a_page_outside_of_the_site_leads_somewhere(page: str) -> None:
    links = re.findall(r"(?:\]\(|src=\")([^)\"#\s]+)", text_of(page))
    assert [link for link in links if "://" not in link and not (CHECKOUT / link).exists()] == []


def test_the_sample_of_a_webhook_has_its_fields() -> None:
    sample = json.loads(blocks("docs/webhook.md", "json")[0])
    notice = Notice("1", "ServiceDown", "one", "One", "down", datetime.now(UTC))
    assert set(sample) == set(webhook.fields(notice))


def test_every_command_of_the_live_feed_is_described() -> None:
    with monitor() as one, connect(one.address.replace("http", "ws") + "/ws", open_timeout=30) as socket:
        socket.send('{"command_type": "?"}')
        answer = next(found for found in map(json.loads, socket) if found["type"] == "error")
    known = answer["reason"].partition("known are ")[2].split(", ")
    assert len(known) > 5
    assert [name for name in known if name not in text_of("docs/live-feed.md")] == []


def test_prometheus_and_grafana_are_given_files_that_are_there() -> None:
    compose_plugin()
    environment = os.environ | {"GRAFANA_PASSWORD": "x"}
    files = ["-f", "docker-compose.yml", "-f", "deploy/compose/monitoring.yml"]
    command = ["docker", "compose", *files, "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    mounts = [one for service in json.loads(done.stdout)["services"].values() for one in service.get("volumes", ())]
    ours = [one["source"] for one in mounts if one["source"].startswith(str(CHECKOUT / "deploy"))]
    assert len(ours) == 3
    assert [path for path in ours if not Path(path).exists()] == []
