"""Rehearsing alerts: time lines are played through the whole pipeline in virtual time, and nobody is told."""

from fks_master.rehearsal.recorded import read_recorded
from fks_master.rehearsal.report import Report, compare
from fks_master.rehearsal.script import Script, read
from fks_master.rehearsal.stage import Stage, Told

__all__ = ["Report", "Script", "Stage", "Told", "compare", "read", "read_recorded"]
