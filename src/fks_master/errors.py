"""Every exception that FKS Master raises on purpose.

FksError
├── BusyError      the same thing is being acted on already
├── ComposeRefusedError      what was asked of Compose is not possible; the message is fit for whoever asked
├── ComposeUnavailableError  Docker or Compose v2 is not there, or does not answer
├── ConfigError    the configuration holds mistakes; all of them, not only the first
├── ListenError    the address or port cannot be used
├── StorageError
│   ├── StoreUnavailableError    the store cannot be reached or written now; the next try may succeed
│   │   └── StoreFullError       there is no room left on its disk
│   ├── StatementRefusedError    the store works, but not with this statement; trying again is no use
│   ├── StoreOccupiedError       another instance works on the store
│   └── SchemaError              a newer version has written the store, or a migration does not fit
├── DockerError    Docker refused, failed or did not answer in time
│   ├── DockerTimeoutError   Docker did not answer in time
│   ├── NoDockerError   there is no Docker to ask
│   └── NotFoundError   Docker does not know the container
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


class StorageError(FksError):
    """Something about the store."""


class StoreUnavailableError(StorageError):
    """The store cannot be reached or written now."""


class StoreFullError(StoreUnavailableError):
    """There is no room left on the store's disk; deleting through `Database.relieve` may still work."""


class StatementRefusedError(StorageError):
    """The store works, but not with this statement."""


class StoreOccupiedError(StorageError):
    """Another instance works on the store; this one may wait as its standby."""


class SchemaError(StorageError):
    """A newer version has written the store, or a migration does not fit."""


class DockerError(FksError):
    """Docker refused, failed or did not answer in time."""


class DockerTimeoutError(DockerError):
    """Docker did not answer in time."""


class NoDockerError(DockerError):
    """There is no Docker to ask."""


class NotFoundError(DockerError):
    """Docker does not know the container."""


class TlsError(FksError):
    """The certificate or its key cannot be used."""
