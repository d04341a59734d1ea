"""What the pages about alerts show is right: each table of a config is one, and the sample verifies what we sign."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.docs.runner import CHECKOUT

from fks_master.alerts.notice import Notice
from fks_master.alerts.notify import KINDS, Receiver, Request
from fks_master.config.load import load

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ("receivers", "heartbeats")
SECRETS = {name: f"https://hooks.example/{name}" for name in ("slack", "discord", "teams", "heartbeat")} | {
    "matrix": "matrixs://user:password@host/#room", "backup": "a-token-of-a-good-length", "tickets": "Bearer x",
}  # fmt: skip


def blocks(page: str, kind: str) -> list[str]:
    text = (CHECKOUT / "docs" / f"{page}.md").read_text()
    return [code for found, code in BLOCK.findall(text) if found == kind]


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
@pytest.mark.parametrize(
    ("page", "number"), [(page, number) for page in PAGES for number in range(len(blocks(page, "toml")))]
)
def test_each_table_is_a_config(tmp_path: Path, page: str, number: int) -> None:
    for name in {*SECRETS, "webhook", "mail", "pagerduty", "ntfy", "telegram"}:
        (tmp_path / name).write_text(SECRETS.get(name, "a-secret"))
    path = tmp_path / "monitor.toml"
    path.write_text(blocks(page, "toml")[number].replace("/run/secrets", str(tmp_path)))
    load(path, {})


def test_the_sample_knows_ours_from_others_and_from_old_ones() -> None:
    found: dict[str, Any] = {}
    exec(blocks("webhook", "python")[0], found)  # noqa: S102 - a page of our own
    is_ours, now = found["is_ours"], time.time()
    notice = Notice("1", "ServiceDown", "api", "API", "down", datetime.now(UTC))
    for age, key, expected in ((0, b"key", True), (0, b"other", False), (400, b"key", False)):
        at = datetime.fromtimestamp(now - age, UTC)
        request = KINDS["webhook"].render(Receiver("own", "webhook", "http://x/", "key"), [notice], at)
        assert isinstance(request, Request)
        assert is_ours(request.headers, request.body, key) is expected
        assert not is_ours(request.headers, request.body + b" ", key)
    assert not is_ours({}, b"", b"key")
