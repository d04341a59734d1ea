"""S6: the secrets of receivers and jobs: whatever goes wrong, nobody reads them in log, API, metrics or database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.test_webhook import Receiver
from tests.process import Monitor, fleet, monitor, wait_for

CANARY = "canary-1f6b0c9e"
KINDS = {
    "refused": 'url = "http://127.0.0.1:9/{canary}"',
    "broken": 'url = "{server}/{canary}"\nsecret = "{canary}"',
    "headed": 'url = "{server}/x"\n[alerts.receivers.webhook]\nheaders = {{ A = "{canary}" }}\n'
    'header_files = {{ B = "{folder}/secret" }}',
    "nowhere": 'url = "http://{canary}.invalid/{canary}"',
    "pager": 'kind = "pagerduty"\nurl = "{server}/p"\nsecret_file = "{folder}/secret"',
    "bot": 'kind = "telegram"\nurl = "{server}"\nsecret = "1:{canary}"\n[alerts.receivers.telegram]\nchat_id = "1"',
    "phone": 'kind = "ntfy"\nurl = "{server}/{canary}"\nsecret = "{canary}"',
    "mail": 'kind = "email"\nurl = "smtp://127.0.0.1:9"\nsecret = "{canary}"\n[alerts.receivers.email]\n'
    'username = "{canary}"\nfrom = "a@example.org"\nto = ["b@example.org"]',
    "other": 'kind = "apprise"\nurl = "json://user:{canary}@127.0.0.1:9/{canary}"',
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


def config(folder: Path, server: str, fks: str) -> Path:
    (folder / "secret").write_text(CANARY)
    path = folder / "monitor.toml"
    said = {"canary": CANARY, "server": server, "folder": folder}
    receivers = "".join(
        f'[[alerts.receivers]]\nname = "{name}"\n{rest.format(**said)}\n' for name, rest in KINDS.items()
    )
    job = (
        '[[services]]\nid = "job"\nhealth_endpoint = "heartbeat://"\n'
        f'[services.heartbeat]\nperiod_seconds = 60\ntoken = "{CANARY}-token"\n'
    )
    head = f'[alerts]\nconsecutive_failures_threshold = 1\nheartbeat_url = "{server}/{CANARY}"\n'
    path.write_text(head + receivers + job + fks)
    return path


def everything(one: Monitor, folder: Path) -> dict[str, bytes]:
    """Gather all that the monitor shows or leaves behind."""
    paths = [
        path for path, methods in one.get("/openapi.json")["paths"].items() if "get" in methods and "{" not in path
    ]
    found = {path: one.request(path)[2] for path in paths if "output" not in path}
    assert len(found) > 20
    found["log"] = one.log.encode()
    found["command line"] = Path(f"/proc/{one.process.pid}/cmdline").read_bytes()
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    return found | {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("status", [500, 404])
def test_no_secret_of_a_receiver_shows_whatever_fails(receiver: Receiver, tmp_path: Path, status: int) -> None:
    receiver.status = status
    with fleet() as fks:
        path = config(tmp_path, receiver.url.removesuffix("/hook"), fks.config.read_text())
        with monitor("--config", str(path), folder=tmp_path, FKS_LOG_LEVEL="debug") as one:
            wait_for(lambda: one.status("fks_web") == "Healthy")
            for name in KINDS:
                assert one.request(f"/api/receivers/{name}/test", "POST")[0] == 200
            fks.behave("fks_web", "error")
            wait_for(lambda: all(each["answer"] for each in one.get("/api/receivers")))
            one.request(f"/api/heartbeat/{CANARY}-token/fail", "POST", "boom")
            one.request(f"/api/heartbeat/{CANARY}-token/x/y", "POST")
            one.request(f"/api/heartbeat/{CANARY}-token", "DELETE")
            path.write_text(path.read_text().replace("1:" + CANARY, "2:" + CANARY) + "[[services]]\n")
            wait_for(lambda: "config_rejected" in one.log)
            leaks = [name for name, content in everything(one, tmp_path).items() if CANARY.encode() in content]
    assert leaks == []
