"""Every exception that FKS Master raises on purpose.

FksError
├── ConfigError    the configuration holds mistakes; all of them, not only the first
├── ListenError    the address or port cannot be used
└── TlsError       the certificate or its key cannot be used
"""


class FksError(Exception):
    """The root: catch it to catch everything that we raise on purpose."""


class ConfigError(FksError):
    """The configuration holds mistakes."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        self.source = source
        self.mistakes = mistakes
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in mistakes))


class ListenError(FksError):
    """The address or port cannot be used."""


class TlsError(FksError):
    """The certificate or its key cannot be used."""
