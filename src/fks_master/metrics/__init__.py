"""What we count, and how Prometheus reads it."""

from fks_master.metrics.registry import Metrics

__all__ = ["Metrics"]
