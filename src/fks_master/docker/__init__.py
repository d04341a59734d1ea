"""Talking to Docker: the Engine API, and the Compose command line."""
