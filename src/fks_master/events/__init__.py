"""Numbered events and bounded subscriptions."""
