"""Tables and words in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or " "


def code(text: str) -> str:
    return f"`{text}`" if text else ""
