"""What the product is made of beyond its own code: the locked Python packages, and what the dashboard is built from."""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
LABELS = ("homepage", "home", "repository", "source", "source code")
FREE_TEXT = 60  # longer ones are the licence's whole text


class Part(NamedTuple):
    """One package; `needs` are the names of those that it needs itself."""

    ecosystem: str
    name: str
    version: str
    licence: str
    home: str
    hashes: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:{self.ecosystem}/{self.name.replace('@', '%40')}@{self.version}"


def python_parts() -> list[Part]:
    """Give what requirements/run.txt locks, described by what is installed."""
    text = (ROOT / "requirements" / "run.txt").read_text()
    starts = [*PINNED.finditer(text)]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    blocks = {match[1]: (match[2], text[match.start() : end]) for match, end in zip(starts, ends, strict=True)}
    return [_python_part(name, version, block, set(blocks)) for name, (version, block) in sorted(blocks.items())]


def _python_part(name: str, version: str, block: str, known: set[str]) -> Part:
    about = metadata.metadata(name)
    if about["Version"] != version:
        raise SystemExit(f"{name} {about['Version']} is installed, {version} is locked: make setup")
    wanted = {re.split(r"[^A-Za-z0-9._-]", need)[0].lower().replace("_", "-") for need in metadata.requires(name) or []}
    needs = tuple(sorted(wanted & known))
    return Part("pypi", name, version, _licence(about), _home(about), tuple(HASH.findall(block)), needs)


def _licence(about: metadata.PackageMetadata) -> str:
    """Prefer the expression, then the classifier, then a short free text."""
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [one for one in about.get_all("Classifier") or [] if one.startswith("License :: ")]
    if names := [one.rpartition(" :: ")[2] for one in classifiers if not one.endswith("OSI Approved")]:
        return " AND ".join(names)
    text = str(about.get("License") or "").strip()
    if text and len(text) <= FREE_TEXT:
        return text
    raise SystemExit(f"{about['Name']} does not say its licence")


def _home(about: metadata.PackageMetadata) -> str:
    pairs = [entry.split(", ", 1) for entry in about.get_all("Project-URL") or []]
    urls = {label.lower(): url for label, url in (pair for pair in pairs if len(pair) == 2)}
    chosen = next((urls[label] for label in LABELS if label in urls), "")
    return chosen or str(about.get("Home-page") or "") or next(iter(urls.values()), "")


def web_parts() -> list[Part]:
    """Give what ends up in the dashboard's bundle."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    shipped = {path: entry for path, entry in packages.items() if path and not entry.get("dev")}
    found = {path.removeprefix("node_modules/"): entry for path, entry in shipped.items()}
    return [
        Part("npm", name, entry["version"], entry["license"], "", (), _known(entry, found))
        for name, entry in sorted(found.items())
        if not entry.get("optional")
    ]


def _known(entry: dict[str, Any], found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(set(entry.get("dependencies", {})) & set(found)))
