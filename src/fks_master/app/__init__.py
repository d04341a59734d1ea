"""The composition root: builds every part, runs them, and stops them in reverse order."""

from fks_master.app.run import Run, Started, serve

__all__ = ["Run", "Started", "serve"]
