"""Looks over everything that the monitor stands on, and says what to do about each finding."""

from fks_master.doctor.examine import LOOKS, examine
from fks_master.doctor.finding import Finding, Level
from fks_master.doctor.patient import Patient, admit

__all__ = ["LOOKS", "Finding", "Level", "Patient", "admit", "examine"]
