"""Docker and Compose."""

import grp
import os
import stat
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from fks_master.config.schema import Config
from fks_master.docker.compose.cli import ComposeCli
from fks_master.docker.compose.environment import minimal
from fks_master.docker.engine import DockerEngine
from fks_master.doctor.finding import Finding, error, fine, warning
from fks_master.doctor.patient import Patient
from fks_master.errors import ComposeUnavailableError, DockerError

DOCKER = "docker"
COMPOSE = "compose"
GROUP = "give this user the socket's group: usermod -aG {0} USER, or SupplementaryGroups={0} in the systemd unit"
WITHOUT = "without Docker checks and alerts work, restart and container facts do not"


async def look_at_engine(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings is None:
        return
    if (trouble := _look_at_socket(settings.docker_host)) is not None:
        yield trouble
        return
    engine = DockerEngine(settings.docker_host)
    try:
        version = await engine.connect()
        names = {name for one in await engine.containers() for name in (one.name, one.id)}
    except DockerError as refusal:
        yield error(DOCKER, str(refusal), f"see whether dockerd runs: docker -H {settings.docker_host} version")
        return
    finally:
        await engine.close()
    yield fine(DOCKER, f"Docker {version} answers at {settings.docker_host}")
    if patient.config is not None and (missing := _missing(patient.config, names)):
        advice = "start them, or correct docker_container in the config: docker ps --all --format '{{.Names}}'"
        yield warning(DOCKER, f"no container is called {', '.join(missing)}", advice)


def _look_at_socket(host: str) -> Finding | None:
    scheme, _, path = host.partition("://")
    if scheme != "unix":
        return None
    try:
        found = Path(path).stat()
    except OSError as trouble:
        advice = f"install and start Docker, mount its socket, or name another by DOCKER_HOST; {WITHOUT}"
        return warning(DOCKER, f"{path}: {trouble.strerror}", advice)
    if not stat.S_ISSOCK(found.st_mode):
        advice = "name Docker's socket by DOCKER_HOST; an empty folder is what Docker makes of a missing mount"
        return error(DOCKER, f"{path} is not a socket", advice)
    if not os.access(path, os.R_OK | os.W_OK):
        return error(DOCKER, f"{path} may not be used by this user", GROUP.format(_group(found.st_gid)))
    return None


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _missing(config: Config, names: set[str]) -> list[str]:
    wanted = {service.docker_container for service in config.services if service.docker_container}
    return sorted(wanted - names)


async def look_at_compose(patient: Patient) -> AsyncIterator[Finding]:
    config = patient.config
    if config is None:
        return
    try:
        major, minor = await ComposeCli(minimal(os.environ)).version()
        yield fine(COMPOSE, f"Compose {major}.{minor}")
    except ComposeUnavailableError as trouble:
        advice = "install Docker's Compose plugin (docker-compose-plugin, in Debian 13 docker-compose), or do without"
        yield warning(COMPOSE, str(trouble), advice)
    for finding in _look_at_roots(config.compose.roots):
        yield finding


def _look_at_roots(roots: Iterable[str]) -> Iterator[Finding]:
    for root in roots:
        path = Path(root).absolute()
        if not path.is_dir():
            yield error(COMPOSE, f"[compose] roots: {path} is no folder", "make it, or take it out of the config")
        elif path.stat().st_mode & stat.S_IWOTH:
            advice = f"chmod o-w {path}: who can write there can become root through up"
            yield error(COMPOSE, f"[compose] roots: everybody may write to {path}", advice)
