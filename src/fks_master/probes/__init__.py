"""Asks a service once, and says what was found; a failed probe is data, never an exception."""
