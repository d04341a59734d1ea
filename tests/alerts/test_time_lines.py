"""Every time line in this folder is told as it expects."""

from pathlib import Path

import pytest

from fks_master.rehearsal import Stage, compare, read

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_time_line_is_told_as_expected(file: Path) -> None:
    script = read(file)
    report = compare(Stage(script).play(), script.expected)
    assert report.is_good, "\n".join(map(str, report.lines))
