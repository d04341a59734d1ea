"""Where the pages are."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
