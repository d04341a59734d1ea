"""Turns a request for Compose into a job, once everything about it is known to be in order.

1. Nothing is locked before the request is checked: its files lie below the roots, its names exist, its variables are
   set.
2. What needs the file is run with it. The rest works from labels alone, so that a broken file never keeps anybody from
   stopping what runs.
3. Whoever asks never stops ourselves.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from fks_master.control import planning
from fks_master.control.controller import Origin
from fks_master.control.jobs.engine import JobEngine
from fks_master.control.jobs.job import Job, Order
from fks_master.control.planning import Prepared
from fks_master.docker.compose.cli import ComposeCli, Container, Member, Model, unset_sentence
from fks_master.docker.compose.command import Project, command
from fks_master.docker.compose.files import Roots
from fks_master.docker.compose.plan import Step, as_text
from fks_master.docker.compose.reach import reach
from fks_master.docker.compose.request import Action, Request
from fks_master.docker.ourselves import Ourselves
from fks_master.errors import ComposeRefusedError

DEADLINE_SECONDS = {
    Action.BUILD: 3600.0,
    Action.PULL: 3600.0,
    Action.PUSH: 3600.0,
    Action.UP: 3600.0,
    Action.START: 300.0,
    Action.STOP: 300.0,
    Action.RESTART: 600.0,
    Action.DOWN: 600.0,
    Action.PS: 60.0,
    Action.LOGS: 60.0,
}
FOLLOW_SECONDS = 12 * 3600.0
WAY_OUT = "restart or stop its container by itself"
LINES = 1000


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one action as the seed has it, and what is known beyond that."""

    action: str
    services: tuple[str, ...]
    success: bool
    status_code: int
    stdout: str
    stderr: str
    job_id: str | None = None
    project: str | None = None
    plan: list[Step] | None = None
    containers: list[Container] | None = None


class Preparer:
    """Checks requests and tells plans."""

    def __init__(self, cli: ComposeCli, roots: Roots, ourselves: Ourselves | None = None) -> None:
        self.cli = cli
        self._roots = roots
        self._ourselves = ourselves or Ourselves()

    async def prepare(self, request: Request) -> Prepared:
        """Check a request against the world. Raises ComposeRefusedError, ComposeUnavailableError."""
        await self.cli.version()
        env_files = tuple(self._roots.find_env_file(path) for path in request.env_files)
        if request.action.needs_file:
            return await self._prepare_from_file(request, env_files)
        return await self._prepare_from_labels(request, env_files)

    async def _prepare_from_file(self, request: Request, env_files: tuple[Path, ...]) -> Prepared:
        members = await self.cli.members(request.project) if request.project else []
        files = self._files(request, members)
        model = await self.cli.model(files, env_files, request.project)
        model = msgspec.structs.replace(model, name=request.project or model.name)
        _check_known(request.services, model.services, model.name)
        project = Project(model.name, files, env_files, request.profiles)
        if request.action is not Action.UP:
            return Prepared(request, project, model)
        members = members or await self.cli.members(model.name)
        reached = self._check_up(request, model, files, members)
        return Prepared(request, project, model, tuple(members), reached)

    async def _prepare_from_labels(self, request: Request, env_files: tuple[Path, ...]) -> Prepared:
        name, known = request.project, set[str]()
        if name is None:
            model = await self.cli.model(self._files(request, ()), env_files)
            name, known = model.name, set(model.services)
        members = await self.cli.members(name)
        _check_known(request.services, known | {member.service for member in members}, name)
        self._check_roots(name, members)
        if not members and request.action in {Action.START, Action.RESTART}:
            raise ComposeRefusedError(f"project {name} has no containers; bring it up first")
        reached = reach(request.action, request.services, _needs(members))
        if not request.action.is_reading:
            self._check_not_ourselves(request, reached, members)
        return Prepared(request, Project(name), members=tuple(members), reach=reached)

    def _check_roots(self, project: str, members: Iterable[Member]) -> None:
        """Refuse a project that was brought up from elsewhere: that is nobody's business here."""
        folders = {member.working_dir for member in members}
        strange = sorted(folder for folder in folders if not folder or not self._roots.holds(folder))
        if strange:
            where = repr(strange[-1][:200]) if strange[-1] else "nobody knows where"
            raise ComposeRefusedError(
                f"project {project} was brought up from {where}, which is not below the configured [compose] roots"
            )

    def _files(self, request: Request, members: Sequence[Member]) -> tuple[Path, ...]:
        """Return the files named, else those that the project was made from, else the default ones."""
        if request.files:
            return tuple(self._roots.find_compose_file(path) for path in request.files)
        labelled = next((member.config_files for member in members if member.config_files), "")
        if labelled:
            return tuple(self._roots.find_compose_file(path) for path in labelled.split(","))
        return self._roots.default_files()

    def _check_up(
        self, request: Request, model: Model, files: Sequence[Path], members: Sequence[Member]
    ) -> dict[str, str | None]:
        """Return what it reaches."""
        if model.unset:
            raise ComposeRefusedError(unset_sentence(model.unset))
        needs = {**_needs(members), **{name: one.needs for name, one in model.services.items()}}
        reached = reach(request.action, model.reach_of(request.services), needs)
        self._check_not_ourselves(request, reached, members)
        _check_folder(model.name, files[0].parent, members)
        return reached

    def _check_not_ourselves(
        self, request: Request, reached: Mapping[str, str | None], members: Iterable[Member]
    ) -> None:
        """Refuse what would act on us; where no service is named, all are meant."""
        for member in members:
            why = self._ourselves.why_not_member(member.id, (member.name, member.service))
            if why is None or (request.services and member.service not in reached):
                continue
            cause = reached.get(member.service)
            about = f"{request.action} of service {cause or member.service}"
            if cause is None:
                raise ComposeRefusedError(f"{about}: {why}; name the other services")
            raise ComposeRefusedError(f"{about} takes with it {member.service}, which depends on it: {why}; {WAY_OUT}")

    async def plan(self, request: Request) -> Outcome:
        """Tell what a request would change, without changing anything or asking a registry."""
        prepared = await self.prepare(request)
        told = await planning.tell(self.cli, prepared)
        return Outcome(
            action=request.action,
            services=request.services,
            success=told.code == 0,
            status_code=told.code,
            stdout=as_text(told.steps),
            stderr=told.complaint,
            project=prepared.project.name,
            plan=told.steps,
        )


class Composer:
    """Starts the jobs of requests."""

    def __init__(self, preparer: Preparer, jobs: JobEngine) -> None:
        self.plan = preparer.plan
        self._preparer = preparer
        self._jobs = jobs

    async def start(self, request: Request, origin: Origin) -> Job:
        """Begin the job of a request; `up` never stays attached, so that the end of a job stops nobody's services.

        One that is repeated is answered by what it did, whatever that left of its project.
        Raises ComposeRefusedError, ComposeUnavailableError, BusyError.
        """
        known = self._jobs.known_by(origin.key, origin.requested_by)
        if known is not None and _is_of(known, request):
            return known
        bounded = LINES if request.tail is None and request.action is Action.LOGS else request.tail
        detach = request.detach or request.action is Action.UP
        prepared = await self._preparer.prepare(msgspec.structs.replace(request, detach=detach, tail=bounded))
        return await self._jobs.start(self._order(prepared, origin))

    async def outcome(self, job: Job) -> Outcome:
        """Return the result of a job that has ended."""
        containers = await self._preparer.cli.containers(job.project) if job.action == Action.PS else None
        reason = f"{job.reason}\n" if job.reason else ""
        return Outcome(
            action=job.action,
            services=job.services,
            success=job.status_code == 0 and not reason,
            status_code=-1 if job.status_code is None else job.status_code,
            stdout=job.stdout,
            stderr=job.stderr + reason,
            job_id=job.id,
            project=job.project,
            containers=containers,
        )

    def _order(self, prepared: Prepared, origin: Origin) -> Order:
        request, project = prepared.request, prepared.project
        return Order(
            action=request.action,
            project=project.name,
            command=command(project, request, self._preparer.cli.docker),
            folder=str(project.folder),
            deadline_seconds=FOLLOW_SECONDS if request.is_following else DEADLINE_SECONDS[request.action],
            environment=self._preparer.cli.environment,
            services=request.services,
            files=tuple(str(file) for file in project.files),
            lock=None if request.action.is_reading else project.name,
            **msgspec.structs.asdict(origin),
        )


def _is_of(job: Job, request: Request) -> bool:
    is_named = request.project in {None, job.project}
    return is_named and (job.action, job.services) == (request.action, request.services)


def _needs(members: Iterable[Member]) -> dict[str, dict[str, bool]]:
    return {member.service: member.needs for member in members}


def _check_known(named: Sequence[str], known: Iterable[str], project: str) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise ComposeRefusedError(f"project {project} has no service {', '.join(unknown[:5])}")


def _check_folder(project: str, folder: Path, members: Iterable[Member]) -> None:
    for member in members:
        if member.working_dir and os.path.realpath(member.working_dir) != str(folder):
            raise ComposeRefusedError(
                f"project {project} was brought up from {member.working_dir}, and its files are at {folder} here: "
                "mount them at the host's own path, or its relative paths would point elsewhere"
            )
