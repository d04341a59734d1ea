"""Acting on the world: one action at a time, each with its outcome."""
