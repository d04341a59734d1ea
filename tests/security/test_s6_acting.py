"""S6: our own credentials, and what stands in the way of acting: never in a child, a log, an answer, or on disk."""

from pathlib import Path

from tests.compose_stub import compose_stub
from tests.process import Monitor, monitor, wait_for

KEY, SECRET, USED = "canary-key-51c2", "canary-secret-of-at-least-thirty-two-bytes", "canary-env-77aa"
SAYS_WHAT_IT_WAS_GIVEN = """
print(sys.argv, dict(os.environ))
sys.stderr.write(str(dict(os.environ)))
sys.exit(1)
"""


def answers(one: Monitor) -> bytes:
    """Return all that can be read, and all that goes wrong, with the right key and with wrong ones."""
    found = []
    routes = one.get("/openapi.json")["paths"]
    for path, methods in routes.items():
        for method in methods:
            for key in (KEY, f"{KEY}x", ""):
                headers = {"x_api_key": key} if key else {}
                body = None if method == "get" else {"action": "build", "nonsense": 1}
                status, names, content = one.request(
                    path.replace("{", "").replace("}", ""), method.upper(), body, **headers
                )
                found.append(f"{status} {names}".encode() + content)
    return b"".join(found)


def test_s6_credentials_reach_no_child_no_log_no_answer_and_no_disk(tmp_path: Path) -> None:
    path = compose_stub(tmp_path, other=SAYS_WHAT_IT_WAS_GIVEN)
    (tmp_path / "monitor.toml").write_text(
        '[compose]\nenvironment = ["TAG"]\n[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n'
    )
    given = {
        "PATH": path,
        "FKS_MONITOR_API_KEY": KEY,
        "FKS_WS_JWT_SECRET": SECRET,
        "SOMETHING_ELSE": USED,
        "TAG": "passed-on",
        "FKS_LOG_LEVEL": "debug",
    }
    with monitor("--config", "monitor.toml", folder=tmp_path, **given) as one:
        wait_for(lambda: one.status("one") == "Unhealthy")
        status, _, content = one.request("/api/compose", "POST", {"action": "build"}, x_api_key=KEY)
        assert (status, b"passed-on" in content) == (500, True), "what is named is passed on"
        seen = content + answers(one) + one.log.encode()
        children = Path(f"/proc/{one.process.pid}/cmdline").read_bytes()
        one.stop()
        seen += one.log.encode() + children
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "audit.jsonl" for path in kept)
    assert any(path.suffix == ".db" for path in kept)
    for canary in (KEY, SECRET, USED):
        assert canary.encode() not in seen
        assert [path for path, data in kept.items() if canary.encode() in data] == []
