"""Rules beyond up and down: what is written, how it is judged, and how often it is said."""

from fks_master.alerts.rules.book import RuleBook, Sight, is_in_force
from fks_master.alerts.rules.rule import Rule, RuleKind
from fks_master.alerts.rules.slo import Budget

__all__ = ["Budget", "Rule", "RuleBook", "RuleKind", "Sight", "is_in_force"]
