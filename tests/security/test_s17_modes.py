"""S17: whatever the umask, and wherever a link leads: what is kept is ours alone."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.process import monitor, wait_for


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def nothing(_: Path) -> None:
    pass


def an_open_folder(folder: Path) -> None:
    (folder / "data" / "jobs").mkdir(parents=True)
    for name in ("fks_master.db", "audit.jsonl"):
        (folder / "data" / name).touch()  # from a careless copy, say


def a_link(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "data").symlink_to("elsewhere")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("prepare", [nothing, an_open_folder, a_link])
def test_folder_and_files_are_for_us_alone(tmp_path: Path, prepare: Callable[[Path], None]) -> None:
    prepare(tmp_path)
    (tmp_path / "monitor.toml").write_text('[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    with monitor("--config", "monitor.toml", folder=tmp_path) as one:
        one.request("/api/services/one/restart", "POST")
        kept = tmp_path / "data"
        wait_for(lambda: (kept / "audit.jsonl").exists() and (kept / "fks_master.db").exists())
        wait_for(lambda: one.get("/api/events?limit=10")["events"])
    for path in (kept, *kept.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_in_which_others_keep_things_stays_as_it_is_and_our_files_are_shut(tmp_path: Path) -> None:
    an_open_folder(tmp_path)
    (tmp_path / "data" / "theirs").touch()
    (tmp_path / "monitor.toml").write_text("")
    with monitor("--config", "monitor.toml", folder=tmp_path) as one:
        assert "data_folder_open" in one.log
        wait_for((tmp_path / "data" / "fks_master.db").exists)
    assert mode(tmp_path / "data") == 0o777
    assert {mode(path) for path in (tmp_path / "data").glob("fks_master*")} == {0o600}
