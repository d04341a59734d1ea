"""Rules beyond up and down: what is written, how it is judged, and how often it is said."""

from fks_master.alerts.rules.book import RuleBook, Sight, titles_of
from fks_master.alerts.rules.rule import Rule, RuleKind
from fks_master.alerts.rules.slo import Budget

__all__ = ["Budget", "Rule", "RuleBook", "RuleKind", "Sight", "titles_of"]
