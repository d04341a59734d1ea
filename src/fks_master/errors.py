"""Every exception that FKS Master raises on purpose.

FksError
├── BusyError      the same thing is being acted on already
├── ComposeRefusedError      what was asked of Compose is not possible; the message is fit for whoever asked
├── ComposeUnavailableError  Docker or Compose v2 is not there, or does not answer
├── ConfigError    the configuration holds mistakes; all of them, not only the first
├── ListenError    the address or port cannot be used
└── TlsError       the certificate or its key cannot be used
"""


class FksError(Exception):
    """The root: catch it to catch everything that we raise on purpose."""


class BusyError(FksError):
    """The same thing is being acted on already. `job_id` says by which job, if it is one."""

    def __init__(self, message: str, job_id: str | None = None) -> None:
        self.job_id = job_id
        super().__init__(message)


class ComposeRefusedError(FksError):
    """What was asked of Compose is not possible; the message is fit for whoever asked."""


class ComposeUnavailableError(FksError):
    """Docker or Compose v2 is not there, or does not answer."""


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
