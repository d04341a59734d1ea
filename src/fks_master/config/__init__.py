"""The configuration: one file, and the environment; every mistake is told at once, before anything starts."""

from fks_master.config.environment import LogLevel, Settings, read_environment
from fks_master.config.load import DEFAULT_PATH, load
from fks_master.config.schema import Alerts, Compose, Config, Control, History, Monitoring, Server

__all__ = [
    "DEFAULT_PATH",
    "Alerts",
    "Compose",
    "Config",
    "Control",
    "History",
    "LogLevel",
    "Monitoring",
    "Server",
    "Settings",
    "load",
    "read_environment",
]
