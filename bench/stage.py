"""What several measurements stand on."""

from tests.process import Fleet

IN_MEMORY = '[history]\nurl = "sqlite::memory:"\n'


def remembering(targets: Fleet) -> str:
    """Have the history of who watches the fleet on disk, as by default; return the config's path."""
    text = targets.config.read_text()
    assert text.startswith(IN_MEMORY)
    targets.config.write_text(text.removeprefix(IN_MEMORY))
    return str(targets.config)
