"""What is expected of a job that reports itself."""

import msgspec


class HeartbeatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """When a job is due: every `period_seconds`, or as `cron` says in `zone`.

    It is late `grace_seconds` after that. A run that lasts longer than `longest_seconds` hangs. `token_hash` is the
    SHA-256 of the job's token in hex.
    """

    token_hash: str = ""
    period_seconds: float | None = None
    cron: str | None = None
    zone: str = "UTC"
    grace_seconds: float = 60.0
    longest_seconds: float | None = None
