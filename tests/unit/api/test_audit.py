import asyncio
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from fks_master.api.audit import FLOOD_SECONDS, MANY, REMEMBERED, REPEAT_SECONDS, Attempt, Audit


def attempt(number: int) -> Attempt:
    return Attempt(
        at=datetime.now(UTC), who="ci", address="127.0.0.1", action="restart", target="a\nb", request_id=str(number),
        outcome=200, seconds=0.1,
    )  # fmt: skip


async def test_attempts_outlive_the_program_and_a_line_cut_off_by_its_death(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.jsonl"
    audit = Audit(path)
    running = asyncio.create_task(audit.run())
    for number in range(3):
        audit.record(attempt(number))
        await asyncio.sleep(0)
    running.cancel()
    await audit.close()
    with path.open("ab") as file:
        file.write(b'{"at": "20')
    again = Audit(path)
    assert [one.request_id for one in again.latest] == ["2", "1", "0"]
    again.record(attempt(3))
    await again.close()
    assert [one.request_id for one in Audit(path).latest] == ["3", "2", "1", "0"], "behind the line that was cut off"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_trail_that_cannot_be_written_is_said_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("")
    (tmp_path / "audit.jsonl").symlink_to(target)
    audit = Audit(tmp_path / "audit.jsonl")
    audit.record(attempt(1))
    await audit.close()
    assert audit.lost == 1
    assert target.read_text() == ""
    assert "audit_not_written" in capsys.readouterr().out


async def test_memory_is_bounded(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    for number in range(REMEMBERED * 10 + 5):
        audit.record(attempt(number))
    assert (len(audit.latest), audit.lost) == (REMEMBERED, 5)


async def test_refusals_that_repeat_stand_in_one_line_a_second(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    refused = msgspec.structs.replace(attempt(1), outcome=429)
    for number in range(10_000):
        audit.record(msgspec.structs.replace(refused, request_id=str(number)))
    audit.record(attempt(2))
    audit.record(msgspec.structs.replace(refused, address="192.0.2.1"))
    await audit.close()
    kept = [(one.outcome, one.address, one.count) for one in Audit(tmp_path / "audit.jsonl").latest]
    assert kept == [(429, "127.0.0.1", 9_999), (429, "192.0.2.1", 1), (200, "127.0.0.1", 1), (429, "127.0.0.1", 1)]


async def test_a_flood_of_refusals_from_anywhere_leaves_the_trail_readable(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    audit.record(attempt(1))
    refused = msgspec.structs.replace(attempt(2), outcome=401)
    for number in range(10 * REMEMBERED):
        audit.record(msgspec.structs.replace(refused, address=f"2001:db8::{number:x}"))
    await audit.close()
    kept = audit.latest
    assert kept[0].address == MANY
    assert sum(one.count for one in Audit(tmp_path / "audit.jsonl").latest if one.address == MANY) == 9 * REMEMBERED
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) == REMEMBERED + 3


async def test_who_goes_on_and_on_is_summed_up_by_the_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda seconds, settle: windows.append(seconds) or settles.append(settle))
    settles: list[Callable[[], None]] = []
    audit = Audit(tmp_path / "audit.jsonl")
    refused = msgspec.structs.replace(attempt(1), outcome=429)
    for count in (100, 100, 3, 2):
        for _ in range(count):
            audit.record(refused)
        settles[-1]()
    assert windows == [REPEAT_SECONDS, FLOOD_SECONDS, FLOOD_SECONDS, REPEAT_SECONDS]
    assert [one.count for one in reversed(audit.latest)] == [1, 99, 1, 99, 1, 2, 1, 1]
    monkeypatch.undo()
    await audit.close()
