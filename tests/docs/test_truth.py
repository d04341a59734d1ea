"""What the documentation names exists: keys of the config, commands and their options, routes, metrics, files."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import click
import pytest
from tests.docs.runner import CHECKOUT
from tests.process import monitor

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
    for line in [*lines, *INLINE.findall(BLOCK.sub("", text_of(page)))]:
        found = re.search(r"(?:^|[;&|(] *|exec |\.venv/bin/|\w=\S+ )fks_master (?!fks_master|[|:])(.*)", line.strip())
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
    called = [(path, None) for path in ADDRESS.findall(text_of(page))]
    assert [each for each in (*named, *called) if not is_a_route(*each, facts.routes)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_metric_exists(page: str, facts: Facts) -> None:
    assert {name for name in METRIC.findall(text_of(page)) if name not in facts.metrics} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_the_repository_is_there(page: str) -> None:
    named = {name.rstrip("/.") for name in REPOSITORY.findall(text_of(page))}
    places = (CHECKOUT, CHECKOUT / "src" / "fks_master")
    assert {name for name in named if not any((place / name).exists() for place in places)} == set()
