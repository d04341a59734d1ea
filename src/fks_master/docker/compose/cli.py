"""Short questions to the `docker` command: its version, what a Compose file says, which containers a project has.

What `config` prints or complains about may quote secrets (an `env_file` in full, the start of a file that is no
Compose file): it is read here, and only names and our own sentences leave.
"""

import asyncio
import json
import os
import re
import resource
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from fks_master.docker.compose.command import NOWHERE, Project, base
from fks_master.docker.compose.plan import Present
from fks_master.docker.labels import read_needs
from fks_master.errors import ComposeRefusedError, ComposeUnavailableError

SECONDS = 20.0
MOST_OUTPUT = 8 << 20
MOST_MEMORY = 512 << 20  # a file of 1 KB with nested aliases took 2.3 GB

_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_UNSET = re.compile(r'The \\"([A-Za-z_][A-Za-z0-9_]*)\\" variable is not set')
_REQUIRED = re.compile(r"required variable ([A-Za-z_][A-Za-z0-9_]*) is missing a value")
_LINE = re.compile(r"yaml: (?:unmarshal errors:\s*)?line (\d+)")
_SENTENCE = re.compile(
    r'service "[\w.-]+" (?:depends on undefined service "[\w.-]+"|has neither an image nor a build context specified'
    r"|refers to undefined (?:network|volume|secret|config) [\w.-]+)"
)
_LABELS = (
    "com.docker.compose.service",
    "com.docker.compose.oneoff",
    "com.docker.compose.project.config_files",
    "com.docker.compose.project.working_dir",
    "com.docker.compose.depends_on",
    "com.docker.compose.config-hash",
    "com.docker.compose.image",
)
_FIELDS = ["{{json .ID}}", "{{json .Names}}", *('{{json (.Label "%s")}}' % label for label in _LABELS)]  # noqa: UP031 - braces are Go's
_ROW = f"[{','.join(_FIELDS)},{{{{json .State}}}}]"


class Answer(msgspec.Struct, frozen=True):
    """How a short command ended."""

    code: int
    stdout: bytes
    stderr: str


class ServiceModel(msgspec.Struct, frozen=True):
    """What we read of a service in a Compose file."""

    image: str | None = None
    build: object = None
    profiles: tuple[str, ...] = ()
    depends_on: dict[str, object] | list[str] = []

    @property
    def needs(self) -> dict[str, bool]:
        """What it depends on, and whether it is restarted with that."""
        if isinstance(self.depends_on, list):
            return dict.fromkeys(self.depends_on, False)
        return {name: isinstance(said, dict) and said.get("restart") is True for name, said in self.depends_on.items()}

    def is_meant(self, name: str, named: Sequence[str], profiles: Sequence[str]) -> bool:
        """Tell whether a command is about this service: one with a profile needs that, or to be named."""
        return name in named if named else not self.profiles or bool(set(self.profiles) & set(profiles))


class _Config(msgspec.Struct, frozen=True):
    name: str = ""
    services: dict[str, ServiceModel] = {}


class Model(msgspec.Struct, frozen=True):
    """What Compose makes of the files; `unset` are variables that it would fill with nothing."""

    name: str
    services: dict[str, ServiceModel]
    unset: tuple[str, ...] = ()

    def reach_of(self, named: Sequence[str]) -> set[str]:
        """Return the services that bringing these up is about: with all that they depend on."""
        found, waiting = set[str](), list(named or self.services)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.services:
                found.add(name)
                waiting += self.services[name].depends_on
        return found


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A container of a project, by its labels: the word of whoever made it."""

    id: str
    name: str
    service: str
    oneoff: str
    config_files: str
    working_dir: str
    depends_on: str = ""
    config_hash: str = ""
    image_id: str = ""
    state: str = ""

    @property
    def needs(self) -> dict[str, bool]:
        """What its service depended on when it was made, and whether it is restarted with that."""
        return read_needs(self.depends_on)

    def as_present(self) -> Present:
        return Present(self.name, self.service, self.state, self.config_hash, self.image_id)


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container as `ps` tells it; `state` is Docker's word, or complete for a one-shot that ended well."""

    name: str
    service: str
    image: str
    state: str
    exit_code: int | None
    health: str | None
    status: str


class ComposeCli:
    """Asks the `docker` command, each time with a deadline and bounded memory and output."""

    def __init__(self, environment: Mapping[str, str], docker: str = "docker") -> None:
        self.environment = dict(environment)
        self.docker = docker
        self._version: tuple[int, int] | None = None

    async def version(self) -> tuple[int, int]:
        """Return the version of Compose. Raises ComposeUnavailableError."""
        if self._version is None:
            answer = await self.ask([self.docker, "compose", "version", "--short"])
            match = _VERSION.match(answer.stdout.decode("utf-8", "replace").strip())
            if answer.code or match is None:
                raise ComposeUnavailableError("the docker command has no Compose plugin; Compose 2 or later is needed")
            if int(match[1]) < 2:
                raise ComposeUnavailableError(f"Compose {match[0]} is not supported; 2 or later is needed")
            self._version = int(match[1]), int(match[2])
        return self._version

    async def model(self, files: Sequence[Path], env_files: Sequence[Path] = (), name: str | None = None) -> Model:
        """Read the files as Compose does. Raises ComposeRefusedError."""
        project = Project(name or "", tuple(files), tuple(env_files), ("*",))
        command = [part for part in base(project, self.docker) if name or part not in {"-p", ""}]
        # An empty variable beats the project's name in an `.env`, and itself says nothing.
        answer = await self.ask([*command, "config", "--format", "json"], project.folder, {"COMPOSE_PROJECT_NAME": ""})
        if answer.code:
            raise ComposeRefusedError(explain(answer.stderr))
        try:
            config = msgspec.json.decode(answer.stdout, type=_Config)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ComposeRefusedError("Compose's answer about the file cannot be read") from error
        return Model(config.name, config.services, tuple(sorted(set(_UNSET.findall(answer.stderr)))))

    async def members(self, project: str) -> list[Member]:
        """Return the containers of a project, those of `run` aside. Raises ComposeUnavailableError."""
        label = f"label=com.docker.compose.project={project}"
        answer = await self.ask([self.docker, "ps", "--all", "--no-trunc", "--filter", label, "--format", _ROW])
        if answer.code:
            raise ComposeUnavailableError("Docker does not answer")
        try:
            members = [msgspec.json.decode(line, type=Member) for line in answer.stdout.splitlines() if line]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ComposeUnavailableError("what the docker command tells of its containers cannot be read") from error
        return [member for member in members if member.oneoff != "True"]

    async def containers(self, project: str) -> list[Container]:
        """Return what `ps` knows: an array up to 2.20, one object a line since."""
        command = [*base(Project(project), self.docker), "ps", "--all", "--format", "json", "--"]
        answer = await self.ask(command)
        return [] if answer.code else read_ps(answer.stdout.decode("utf-8", "replace"))

    async def hashes(self, project: Project) -> dict[str, str]:
        """Return of each service the hash of its configuration now, by which Compose sees that it changed."""
        answer = await self.ask([*base(project, self.docker), "config", "--hash", "*"], project.folder)
        rows = [line.split() for line in answer.stdout.decode("utf-8", "replace").splitlines()]
        return {} if answer.code else {row[0]: row[1] for row in rows if len(row) == 2}

    async def image_id(self, image: str) -> str | None:
        """Return the digest of an image that is here, else None."""
        answer = await self.ask([self.docker, "image", "inspect", "--format", "{{.Id}}", "--", image])
        return None if answer.code else answer.stdout.decode("utf-8", "replace").strip()

    async def ask(
        self, command: Sequence[str], folder: Path = NOWHERE, more: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a command to its end. Raises ComposeUnavailableError."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env={**self.environment, **(more or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise ComposeUnavailableError(f"the docker command cannot be run: {error.strerror}") from error
        try:
            async with asyncio.timeout(SECONDS):
                return await _converse(process)
        except TimeoutError as error:
            raise ComposeUnavailableError(f"Docker does not answer within {SECONDS:g} s") from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _converse(process: asyncio.subprocess.Process) -> Answer:
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    stdout, stderr, code = await asyncio.gather(_read(process.stdout), _read(process.stderr), process.wait())
    return Answer(code, stdout, stderr.decode("utf-8", "replace"))


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    """Read to the end, keeping what fits."""
    kept = bytearray()
    while stream and (data := await stream.read(1 << 16)):
        kept += data[: MOST_OUTPUT - len(kept)]
    return bytes(kept)


def explain(complaint: str) -> str:
    """Say what Compose complains about, in words that cannot quote the file."""
    if match := _REQUIRED.search(complaint):
        return unset_sentence([match[1]])
    if match := _SENTENCE.search(complaint):
        return match[0]
    if match := _LINE.search(complaint):
        return f"the file is not a Compose file that can be read: line {match[1]}"
    return "Compose cannot read the file; `docker compose config` on the host says why"


def unset_sentence(names: Sequence[str]) -> str:
    verb = "variable is" if len(names) == 1 else "variables are"
    return f"the {verb} not set: {', '.join(names)}; set it in an .env file, or pass it on by [compose] environment"


def read_ps(text: str) -> list[Container]:
    """Read both forms of `ps --format json`; a one-shot that ended well is complete, not down."""
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return []
    return [_container(row) for row in rows if isinstance(row, dict)]


def _container(row: dict[str, Any]) -> Container:
    is_complete = row.get("State") == "exited" and row.get("ExitCode") == 0
    return Container(
        name=str(row.get("Name", "")),
        service=str(row.get("Service", "")),
        image=str(row.get("Image", "")),
        state="complete" if is_complete else str(row.get("State", "unknown")),
        exit_code=row["ExitCode"] if isinstance(row.get("ExitCode"), int) else None,
        health=str(row["Health"]) if row.get("Health") else None,
        status=str(row.get("Status", "")),
    )
