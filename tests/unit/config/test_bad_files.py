"""One bad file for each mistake that a config can hold, and beside it what is said about it, to the letter."""

from pathlib import Path

import pytest

from fks_master.config.load import LARGEST, load
from fks_master.errors import ConfigError

BAD = Path(__file__).parents[2] / "config" / "bad"
FILES = sorted(path.stem for path in BAD.glob("*.toml"))


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as error:
        load(Path(f"{name}.toml"), {})
    assert str(error.value) + "\n" == (BAD / f"{name}.txt").read_text()


def test_no_secret_is_ever_shown() -> None:
    assert not [path.name for path in BAD.glob("*.txt") if "secret@" in path.read_text() or "/B0/" in path.read_text()]


def test_a_huge_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigError, match="larger than 16 MiB, which no config is"):
        load(path, {})
