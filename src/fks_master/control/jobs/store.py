"""The records of jobs in a folder: one folder a job, holding its record and its output."""

import os
import shutil
from pathlib import Path

import msgspec
import structlog

from fks_master.control.jobs.job import Job

MOST_JOBS = 100
MOST_BYTES = 512 << 20
RECORD = "job.json"

log = structlog.get_logger(__name__)


class Store:
    """Keeps the latest jobs; nobody but us may read them, since output can hold anything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    def folder(self, job_id: str) -> Path:
        return self._folder / job_id

    def create(self, job: Job) -> Path:
        """Make the place of a job; where that fails, the job runs, and is forgotten."""
        folder = self.folder(job.id)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            log.warning("job_not_kept", job=job.id, error=error.strerror)
        else:
            self.save(job)
        return folder

    def save(self, job: Job) -> None:
        """Write the record; one that cannot be written is lost with a word in the log, not with the job."""
        path = self.folder(job.id) / RECORD
        fresh = path.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(job))
            fresh.replace(path)
        except OSError as error:
            log.warning("job_not_saved", job=job.id, error=error.strerror)

    def load(self) -> list[Job]:
        """Return what is kept, oldest first; a record that cannot be read is passed over."""
        jobs = [job for path in self._folder.glob(f"*/{RECORD}") if (job := _read(path)) is not None]
        return sorted(jobs, key=lambda job: job.started_at)

    def surplus(self, jobs: list[Job]) -> list[Job]:
        """Return the finished jobs, oldest first, that are more than is to be kept."""
        surplus, size = [], 0
        for kept, job in enumerate(reversed(jobs)):
            size += min(job.output_bytes, 64 << 20)
            if job.state.is_final and (kept >= MOST_JOBS or size > MOST_BYTES):
                surplus.append(job)
        return surplus

    def remove(self, job: Job) -> None:
        shutil.rmtree(self.folder(job.id), ignore_errors=True)


def _read(path: Path) -> Job | None:
    try:
        job = msgspec.json.decode(path.read_bytes(), type=Job)
    except (OSError, msgspec.DecodeError) as error:
        log.warning("job_not_read", path=str(path), error=str(error))
        return None
    return job if job.id == path.parent.name else None
