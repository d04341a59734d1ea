"""S3: whatever is sent, no file outside of the roots is used and no word of the sender's is read as an option."""

import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fks_master.docker.compose.command import Project, command
from fks_master.docker.compose.files import Roots
from fks_master.docker.compose.request import parse
from fks_master.errors import ComposeRefusedError

NASTY = [
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "-",
    "--help",
    "-f",
    "a\x00b",
    "\n",
    "~",
    "$(id)",
    ";id",
    "link.yml",
    "x",
]
WORD = st.sampled_from(NASTY) | st.text(string.printable, max_size=20) | st.text(max_size=20)
BODIES = st.fixed_dictionaries(
    {"action": st.sampled_from(["up", "stop", "LOGS", "down", "ps"])},
    optional={
        "services": st.lists(WORD, max_size=4) | st.none(),
        "file": WORD | st.lists(WORD, max_size=3),
        "project": WORD | st.none(),
        "tail": WORD | st.integers(),
        "profiles": st.lists(WORD, max_size=2),
        "env_file": WORD,
        "detach": st.booleans(),
    },
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root").resolve()
    (root / "compose.yaml").write_text("services: {}")
    (root / "link.yml").symlink_to("/etc/hosts")
    return root


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_a_hostile_request_is_refused_or_harmless(root: Path, body: dict[str, Any]) -> None:
    roots = Roots([root])
    try:
        request = parse(msgspec.json.encode(body))
        files = tuple(roots.find_compose_file(path) for path in request.files)
        env_files = tuple(roots.find_env_file(path) for path in request.env_files)
    except (ComposeRefusedError, UnicodeEncodeError):
        return
    assert all(path.is_relative_to(root) and not path.is_symlink() for path in (*files, *env_files))
    project = Project(request.project or "x", files, env_files, request.profiles)
    told = command(project, request)
    assert all("\x00" not in word for word in told)
    end = told.index("--")
    assert told[end + 1 :] == request.services
    assert not any(word.startswith("-") for word in (*request.services, *request.profiles, project.name))


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200))
def test_bytes_that_are_no_request_are_refused(content: bytes) -> None:
    with pytest.raises(ComposeRefusedError):
        parse(content)
