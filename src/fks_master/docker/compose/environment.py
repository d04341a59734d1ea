"""The environment of a Compose process: a short list, because a Compose file may write any variable into a container.

Our own credentials would end up there.
"""

from collections.abc import Iterable, Mapping

# What Docker's own tools need to find the engine and its credentials.
PASSED = (
    "PATH",
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
)
# Newer versions fetch files that a Compose file names by a registry or Git address unless told not to.
FIXED = {
    "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
    "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
    "COMPOSE_MENU": "false",
    "BUILDKIT_PROGRESS": "plain",
    "DOCKER_CLI_HINTS": "false",
}
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def minimal(environ: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, str]:
    """Return what a Compose process gets of our environment; `more` are names that the configuration adds."""
    passed = {name: environ[name] for name in (*PASSED, *more) if environ.get(name)}
    return {"PATH": DEFAULT_PATH, "HOME": "/", **passed, **FIXED}
