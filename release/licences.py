"""Lists the licences of everything that is shipped: `python -m release.licences` writes docs/licences.md."""

from release.parts import ROOT, Part, python_parts, web_parts

PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences

FKS Master is under the MIT licence. What comes with it is under its own. `python -m release.licences` writes this page
from the lock files.
"""
IMAGE = """
## In the image besides

Debian's own packages, each with its licence in Debian's archive: Python, tini, ca-certificates, tzdata, Docker's
command line and Docker Compose (Apache-2.0).
"""


def page() -> str:
    return HEAD + _table("Python packages", python_parts()) + _table("In the dashboard", web_parts()) + IMAGE


def _table(title: str, parts: list[Part]) -> str:
    lines = [f"| {_linked(part)} | {part.version} | {part.licence} |" for part in parts]
    return "\n".join([f"\n## {title}\n", "| package | version | licence |", "|---|---|---|", *lines, ""])


def _linked(part: Part) -> str:
    return f"[{part.name}]({part.home})" if part.home else part.name


if __name__ == "__main__":
    PAGE.write_text(page())
