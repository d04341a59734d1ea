"""What is published: the files, what they are made of, and that they work where nothing else is."""

import json
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from release import licences
from release.parts import ROOT, python_parts, web_parts
from release.sbom import sbom

from fks_master import __version__

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_is_built_installs_into_an_empty_environment_and_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "release.build", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {file.name for file in (tmp_path / "dist").iterdir()}
    parts = ("-py3-none-any.whl", ".tar.gz", ".cdx.json")
    assert names == {f"fks_master-{__version__}{part}" for part in parts}


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    assert "version" not in json.loads((ROOT / "web" / "package.json").read_text())
    said = subprocess.run(
        [sys.executable, "-m", "fks_master", "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    assert said.stdout.split()[-1] == __version__
    assert __version__ in (ROOT / "src" / "fks_master" / "__init__.py").read_text()


def test_every_licence_is_listed() -> None:
    assert licences.PAGE.read_text() == licences.page(), "run: python -m release.licences"


def test_no_licence_asks_more_than_to_be_named() -> None:
    for part in [*python_parts(), *web_parts()]:
        assert part.licence
        assert "GPL" not in part.licence or " OR " in part.licence, part


def test_the_bill_of_materials_names_every_part_and_what_needs_it() -> None:
    document = json.loads(sbom(__version__, MOMENT))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    refs = {component["bom-ref"] for component in document["components"]}
    assert refs == {part.purl for part in [*python_parts(), *web_parts()]}
    own = document["metadata"]["component"]["bom-ref"]
    graph = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert graph.keys() == refs | {own}
    assert all(need in refs for needs in graph.values() for need in needs)
    reached, todo = set(), [own]
    while todo:
        one = todo.pop()
        if one not in reached:
            reached.add(one)
            todo += graph[one]
    assert refs <= reached
    assert sbom(__version__, MOMENT) == sbom(__version__, MOMENT)
