import os
from pathlib import Path

import pytest

from fks_master.docker.compose.command import Project, command, dry_run
from fks_master.docker.compose.environment import minimal
from fks_master.docker.compose.files import MOST_BYTES, Roots
from fks_master.docker.compose.request import Action, Request, parse
from fks_master.errors import ComposeRefusedError

HEAD = ("docker", "compose", "--ansi", "never", "-p", "fks")
FILE = ("-f", "/srv/fks/compose.yaml", "--project-directory", "/srv/fks")
PROJECT = Project("fks", (Path("/srv/fks/compose.yaml"),))


@pytest.mark.parametrize(
    ("request_", "tail"),
    [
        (Request(action=Action.UP, services=("a", "b"), detach=True), ("up", "--detach", "--", "a", "b")),
        (Request(action=Action.UP), ("up", "--")),
        (Request(action=Action.BUILD, services=("a",)), ("build", "--", "a")),
        (Request(action=Action.LOGS, tail=5), ("logs", "--no-color", "--tail", "5", "--")),
        (Request(action=Action.LOGS, detach=True), ("logs", "--no-color", "--follow", "--")),
        (Request(action=Action.PS), ("ps", "--all", "--")),
    ],
)
def test_the_command_names_project_file_and_folder_and_puts_names_last(
    request_: Request, tail: tuple[str, ...]
) -> None:
    assert command(PROJECT, request_) == (*HEAD, *FILE, *tail)


def test_without_files_compose_works_from_labels_alone() -> None:
    stop = command(Project("fks"), Request(action=Action.STOP))
    assert stop == (*HEAD, "--project-directory", "/", "stop", "--")


def test_a_dry_run_asks_no_registry() -> None:
    told = dry_run(PROJECT, Request(action=Action.UP, detach=True))
    assert told == (*HEAD, *FILE, "--dry-run", "up", "--detach", "--pull", "never", "--")


def test_the_environment_holds_no_secret_of_ours() -> None:
    environ = {"PATH": "/bin", "HOME": "/root", "DOCKER_HOST": "tcp://x", "FKS_MONITOR_API_KEY": "k", "TAG": "1"}
    given = minimal(environ, ["TAG", "UNSET"])
    assert {name: given[name] for name in ("PATH", "HOME", "DOCKER_HOST", "TAG")} == {
        "PATH": "/bin",
        "HOME": "/root",
        "DOCKER_HOST": "tcp://x",
        "TAG": "1",
    }
    assert "FKS_MONITOR_API_KEY" not in given
    assert "UNSET" not in given
    assert given["COMPOSE_EXPERIMENTAL_GIT_REMOTE"] == given["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] == "false"


def test_the_seeds_request_and_any_case_are_read() -> None:
    request = parse(
        b'{"action":"Build","services":["fks_api"],"file":"docker-compose.yml","project":"fks","detach":true}'
    )
    assert request == Request(
        action=Action.BUILD, services=("fks_api",), files=("docker-compose.yml",), project="fks", detach=True
    )
    assert parse(b'{"action":"ps","services":null,"file":null,"tail":"all"}') == Request(action=Action.PS)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not a compose request"),
        (b"[]", "not a compose request"),
        (b"\xff", "not a compose request"),
        (b"[" * 5000, "not a compose request"),
        (b"{}", "missing required field `action`"),
        (b'{"action":"exec"}', "unknown action 'exec'; known are build"),
        (b'{"action":"up","servces":["a"]}', "unknown field `servces`"),
        (b'{"action":"stop","services":["--help"]}', "'--help' is not the name of a service"),
        (b'{"action":"stop","services":["a\\u0000"]}', "is not the name of a service"),
        (b'{"action":"stop","services":["a b"]}', "is not the name of a service"),
        (b'{"action":"stop","services":["a\\n"]}', "is not the name of a service"),
        (b'{"action":"stop","services":[""]}', "is not the name of a service"),
        (b'{"action":"up","project":"-x"}', "is not the name of a project"),
        (b'{"action":"up","project":"Up"}', "is not the name of a project"),
        (b'{"action":"up","file":"a\\u0000.yml"}', "is not the path of a file"),
        (b'{"action":"up","file":" "}', "is not the path of a file"),
        (b'{"action":"logs","tail":-1}', "tail '-1' is not a number"),
        (b'{"action":"logs","tail":"--help"}', "tail '--help' is not a number"),
        (b'{"action":"logs","tail":99999999}', "is not a number of lines"),
        (b'{"action":"up","profiles":["-x"]}', "is not the name of a profile"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ComposeRefusedError) as refused:
        parse(body)
    assert reason in str(refused.value)


def test_ten_thousand_services_are_too_many() -> None:
    names = ",".join(f'"s{number}"' for number in range(10_000))
    with pytest.raises(ComposeRefusedError, match="10000 services are too many"):
        parse(f'{{"action":"up","services":[{names}]}}'.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "app").mkdir(parents=True)
    (root / "app" / "compose.yaml").write_text("services: {}")
    (tmp_path / "outside.yml").write_text("services: {}")
    (root / "link.yml").symlink_to(tmp_path / "outside.yml")
    (root / "folder.yml").mkdir()
    (root / "secrets.txt").write_text("hunter2")
    (root / "long.yml").write_bytes(b"#" * (MOST_BYTES + 1))
    os.mkfifo(root / "pipe.yml")
    return root


def test_files_below_the_roots_are_found_relative_and_absolute(root: Path) -> None:
    roots = Roots([root])
    assert roots.find_compose_file("app/compose.yaml") == root / "app" / "compose.yaml"
    assert roots.find_compose_file(str(root / "app" / "compose.yaml")) == root / "app" / "compose.yaml"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../outside.yml", "is not below"),
        ("app/../../outside.yml", "is not below"),
        ("/etc/passwd", "is not below"),
        ("/etc/none-such.yml", "is not below"),
        ("link.yml", "is not below"),
        (".", "is not below"),
        ("none.yml", "there is no file"),
        ("folder.yml", "is not a plain file"),
        ("pipe.yml", "is not a plain file"),
        ("secrets.txt", "is not a Compose file"),
        ("long.yml", "is longer than 1 MiB"),
        ("-", "there is no file"),
        ("oci://example.org/x.yml", "there is no file"),
        ("https://example.org/x.git", "there is no file"),
    ],
)
def test_other_files_are_refused(root: Path, path: str, reason: str) -> None:
    with pytest.raises(ComposeRefusedError) as refused:
        Roots([root]).find_compose_file(path)
    assert reason in str(refused.value)


def test_the_default_file_comes_with_its_override(root: Path) -> None:
    with pytest.raises(ComposeRefusedError, match="no file is named"):
        Roots([root]).default_files()
    (root / "docker-compose.yml").write_text("")
    (root / "docker-compose.override.yml").write_text("")
    assert Roots([root]).default_files() == (root / "docker-compose.yml", root / "docker-compose.override.yml")
