"""The documentation, built as readers get it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.docs.runner import CHECKOUT
from tests.process import monitor

from fks_master.cli.main import COMMANDS
from fks_master.config import Settings
from fks_master.model import EventType

MEANINGS = tomllib.loads((CHECKOUT / "docs" / "hooks" / "meanings.toml").read_text())
# What a browser fetches by itself, as against what a reader may follow.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(\S+?)["'\s>]|<link\b[^>]*\bhref=["']?(\S+?)["'\s>]"""
)


def build(folder: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


def page(site: Path, name: str) -> str:
    return (site / "reference" / name / "index.html").read_text()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [each.read_text() for each in site.rglob("*.html")]
    loaded = {one or other for text in pages for one, other in LOADED.findall(text)}
    assert len(loaded) > 5
    assert not [each for each in loaded if re.match(r"(https?:)?//", each)]
    styles = [each.read_text() for each in site.rglob("*.css")]
    assert not [each for each in styles if re.search(r"url\(\W?(https?:)?//", each)]


def test_every_key_of_the_config_stands_there_with_its_meaning(site: Path) -> None:
    text = page(site, "config")
    keys = [
        key
        for section, found in MEANINGS.items()
        if section not in {"events", "environment", "labels"}
        for key in found
    ]
    assert len(keys) > 70
    assert [key for key in keys if f"<code>{key}</code>" not in text] == []


def test_every_variable_of_the_environment_stands_there(site: Path) -> None:
    text = page(site, "environment")
    assert [name for name in MEANINGS["environment"] if f"<code>{name}</code>" not in text] == []
    assert Settings().docker_host in text


def test_every_event_stands_there(site: Path) -> None:
    text = page(site, "events")
    assert set(MEANINGS["events"]) <= {each.value for each in EventType}
    assert [each for each in EventType if f"<code>{each}</code>" not in text] == []


def test_every_command_stands_there_as_it_explains_itself(site: Path) -> None:
    text = page(site, "cli")
    assert [name for name in COMMANDS if f"Usage: fks_master {name} " not in text] == []


def test_every_route_and_metric_stands_there(site: Path) -> None:
    with monitor() as one:
        paths = one.get("/openapi.json")["paths"]
        metrics = re.findall(r"^# TYPE (\w+)", one.request("/metrics")[2].decode(), re.MULTILINE)
    rest, listed = page(site, "rest"), page(site, "metrics")
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert [each for each in routes if f"<code>{each}</code>" not in rest] == []
    assert [each for each in metrics if f"<code>{each}</code>" not in listed] == []


def test_every_decision_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text()
    records = [each.stem for each in (CHECKOUT / "docs" / "adr").glob("*.md")]
    assert [each for each in records if f"adr/{each}/" not in home] == []
