"""Configurations of other monitors, read into ours; what cannot be carried over is said."""
