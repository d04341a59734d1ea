"""MkDocs hook: the pages of the reference are made from the program while the site is built, and kept nowhere."""

from collections.abc import Callable
from pathlib import Path

import cli_page
import config_page
import events_page
import metrics_page
import rest_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from running import Program, program

PAGES: dict[str, Callable[[Program], str]] = {
    "config.md": lambda _: config_page.write(),
    "environment.md": lambda _: config_page.write_environment(),
    "events.md": lambda _: events_page.write(),
    "cli.md": lambda _: cli_page.write(),
    "rest.md": lambda running: rest_page.write(running.get("/openapi.json")),
    "metrics.md": lambda running: metrics_page.write(running.text("/metrics")),
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision record into the navigation."""
    records = [f"adr/{record.name}" for record in sorted(Path(config.docs_dir, "adr").glob("*.md"))]
    config.nav = [*(config.nav or []), {"Decisions": records}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    with program() as running:
        for name, write in PAGES.items():
            files.append(File.generated(config, f"reference/{name}", content=write(running)))
    return files
