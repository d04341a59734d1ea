"""S1, S2, S5 and S14 against a running monitor: every route, every combination of credentials, foreign pages."""

import hashlib
import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from tests.process import PATIENCE, Monitor, monitor, wait_for
from tests.tools import tool
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

KEY, SECRET = "the-right-key", "a secret of at least thirty-two bytes"
CONFIGURED = {
    "key": {"FKS_MONITOR_API_KEY": KEY},
    "jwt": {"FKS_WS_JWT_SECRET": SECRET},
    "both": {"FKS_MONITOR_API_KEY": KEY, "FKS_WS_JWT_SECRET": SECRET},
}


def token(*roles: str, secret: str = SECRET) -> str:
    return jwt.encode({"exp": time.time() + 600, "roles": list(roles)}, secret, algorithm="HS256")


@pytest.fixture(params=CONFIGURED, scope="module")
def closed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Monitor]]:
    with monitor("--config", str(config(tmp_path_factory.mktemp("closed"))), **CONFIGURED[request.param]) as one:
        yield request.param, one


def config(folder: Path, extra: str = "") -> Path:
    path = folder / "monitor.toml"
    path.write_text(extra + '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    return path


def guarded(one: Monitor) -> list[tuple[str, str]]:
    """List every operation that its description says needs a credential."""
    found = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in one.get("/openapi.json")["paths"].items()
        for method, what in methods.items()
        if "security" in what
    ]
    assert len(found) > 10
    return found


def test_no_route_serves_who_presents_nothing_or_something_wrong(closed: tuple[str, Monitor]) -> None:
    _, one = closed
    wrong = (
        {},
        {"x_api_key": "wrong"},
        {"authorization": "Bearer x"},
        {"authorization": f"Bearer {token('admin', secret='x' * 32)}"},
    )
    for method, path in guarded(one):
        for headers in wrong:
            assert one.request(path, method, **headers)[0] in {401, 429}, (method, path, headers)


def test_each_configured_credential_opens_and_the_other_kind_does_not(closed: tuple[str, Monitor]) -> None:
    kind, one = closed
    presented = {"key": {"x_api_key": KEY}, "jwt": {"authorization": f"Bearer {token('admin')}"}}
    for name, headers in presented.items():
        expected = {200} if kind in {name, "both"} else {401, 429}  # many wrong ones came before
        assert one.request("/api/audit", **headers)[0] in expected


def test_one_good_credential_is_enough_whatever_else_is_shown(closed: tuple[str, Monitor]) -> None:
    kind, one = closed
    good = {"key": KEY, "jwt": token("orchestrate"), "both": token("orchestrate")}[kind]
    for headers in (
        {"x_api_key": "wrong", "authorization": f"Bearer {good}"},
        {"x_api_key": good, "authorization": "Bearer x"},
    ):
        assert one.request("/api/services/one/restart", "POST", **headers)[0] == 409
    with connect(ws(one), additional_headers={"x-api-key": good}) as live:
        live.send(json.dumps({"command_type": "restart_service", "service_id": "one", "token": "wrong"}))
        assert "no docker_container" in answer_to(live)["message"]
        live.send(json.dumps({"command_type": "authenticate", "token": "wrong"}))
        assert answer_to(live)["reason"] == "unauthorized", "a token that is to be proven is proven by itself"


def answer_to(live: ClientConnection) -> dict[str, str]:
    while (message := json.loads(live.recv(PATIENCE)))["type"] in {"initial", "event", "update"}:
        pass
    found: dict[str, str] = message
    return found


def test_every_rejection_counts(closed: tuple[str, Monitor]) -> None:
    """Whether nothing, something wrong, or a token without an allowed role is shown; and of a foreign page."""
    kind, one = closed

    def counted(name: str) -> int:
        lines = one.request("/metrics")[2].decode().splitlines()
        return int(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    shown: list[dict[str, str]] = [{}, {"x_api_key": "wrong"}, {"x_api_key": KEY, "origin": "https://evil.example"}]
    shown += [{"authorization": f"Bearer {token('viewer')}"}] if kind != "key" else []
    for name, path in (("compose", "/api/compose"), ("restart", "/api/services/one/restart")):
        metric = f"fks_{name}_unauthorized_total"
        before = counted(metric)
        for headers in shown:
            assert one.request(path, "POST", **headers)[0] in {401, 403, 429}
        assert counted(metric) == before + len(shown)
        with connect(ws(one)) as live:
            command = {"compose": "compose", "restart": "restart_service"}[name]
            said = {"token": token("viewer")} if kind != "key" else {}
            live.send(json.dumps({"command_type": command, "service_id": "one", "action": "ps", **said}))
            assert answer_to(live)["reason"] == "unauthorized"
        assert counted(metric) == before + len(shown) + 1


def test_a_role_that_may_only_read_changes_nothing(closed: tuple[str, Monitor]) -> None:
    kind, one = closed
    if kind == "key":
        return
    headers = {"authorization": f"Bearer {token('viewer')}"}
    assert one.request("/api/audit", **headers)[0] == 200
    changes = [(method, path) for method, path in guarded(one) if method != "GET"]
    assert changes
    for method, path in changes:
        assert one.request(path, method, **headers)[0] == 401, (method, path)


def test_commands_of_the_feed_want_a_credential_too(closed: tuple[str, Monitor]) -> None:
    _, one = closed
    with connect(one.address.replace("http", "ws") + "/ws") as live:
        assert json.loads(live.recv(PATIENCE))["type"] == "initial"
        for command in ("restart_service", "compose", "cancel_job", "follow_job", "authenticate"):
            for given in (None, "wrong", token("admin", secret="y" * 32)):
                live.send(json.dumps({"command_type": command, "service_id": "one", "action": "up", "token": given}))
                answer = json.loads(live.recv(PATIENCE))
                while answer["type"] in {"event", "update"}:
                    answer = json.loads(live.recv(PATIENCE))
                assert answer["reason"] == "unauthorized", command


def test_ten_thousand_wrong_keys_do_not_lock_out_the_right_one(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path)), FKS_MONITOR_API_KEY=KEY) as one:
        host = one.address.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        seen = set()
        for number in range(10_000):
            connection.request("GET", "/api/audit", headers={"x-api-key": f"wrong{number}"})
            answer = connection.getresponse()
            answer.read()
            seen.add(answer.status)
            if number % 1000 == 500:
                assert one.request("/api/audit", x_api_key=KEY)[0] == 200
        connection.close()
        assert seen == {401, 429}
        assert one.request("/api/audit", x_api_key=KEY)[0] == 200
        assert one.request("/api/audit")[0] == 401


FOREIGN = {"origin": "https://evil.example"}


def test_a_foreign_page_may_read_what_is_open_and_nothing_else(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        status, headers, _ = one.request("/api/services", **FOREIGN)
        assert (status, headers["access-control-allow-origin"]) == (200, "*")
        status, headers, _ = one.request("/api/services/one/restart", "POST", **FOREIGN)
        assert (status, headers["access-control-allow-origin"]) == (403, None)
        status, headers, _ = one.request("/api/audit", **FOREIGN)
        assert (status, headers["access-control-allow-origin"]) == (403, None)
        with pytest.raises(InvalidStatus) as refused, connect(ws(one), additional_headers=FOREIGN):
            pass
        assert refused.value.response.status_code == 403


def test_a_name_that_was_pointed_at_us_is_refused_in_open_mode(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        assert one.request("/api/services/one/restart", "POST", host="evil.example")[0] == 421
        assert one.request("/api/services", host="evil.example")[0] == 200
        assert one.request("/api/services/one/restart", "POST", x_forwarded_for="10.0.0.1")[0] == 403


def test_a_listed_origin_may_act_and_its_preflight_is_answered(tmp_path: Path) -> None:
    path = config(tmp_path, '[server]\nallowed_origins = ["https://ops.example"]\n')
    known = {"origin": "https://ops.example"}
    with monitor("--config", str(path), FKS_MONITOR_API_KEY=KEY) as one:
        asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-api-key"}
        status, headers, _ = one.request("/api/services/one/restart", "OPTIONS", **known, **asked)
        assert (status, headers["access-control-allow-origin"]) == (204, "https://ops.example")
        assert "x-api-key" in headers["access-control-allow-headers"]
        status, headers, _ = one.request("/api/services/one/restart", "POST", x_api_key=KEY, **known)
        assert (status, headers["access-control-allow-origin"]) == (409, "https://ops.example")
        with connect(ws(one), additional_headers=known) as live:
            assert json.loads(live.recv(PATIENCE))["type"] == "initial"


def test_the_web_services_that_are_watched_may_act_without_being_listed(tmp_path: Path) -> None:
    path = config(tmp_path, "")
    web = '[[services]]\nid = "web"\nservice_type = "Web"\nhealth_endpoint = "http://fks_web.example:3000/health"\n'
    path.write_text(path.read_text() + web)
    with monitor("--config", str(path), FKS_MONITOR_API_KEY=KEY) as one:
        for origin in ("http://fks_web.example:3000", "http://localhost:3000"):
            status, headers, _ = one.request("/api/services/one/restart", "POST", x_api_key=KEY, origin=origin)
            assert (status, headers["access-control-allow-origin"]) == (409, origin)
        for origin in ("http://localhost:3001", "https://localhost:3000", "http://other.example:3000"):
            assert one.request("/api/services/one/restart", "POST", x_api_key=KEY, origin=origin)[0] == 403


def test_open_mode_is_said_and_a_key_of_the_file_ends_it(tmp_path: Path) -> None:
    path = config(tmp_path)
    with monitor("--config", str(path)) as one:
        standing = one.get("/api/status")
        assert standing["open_mode"] is True
        assert "Open mode" in standing["warnings"][0]
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        path.write_text(f'[[api_keys]]\nname = "ops"\nhash = "{digest}"\nscope = "admin"\n' + path.read_text())
        wait_for(lambda: one.request("/api/status")[0] == 401)
        standing = json.loads(one.request("/api/status", x_api_key=KEY)[2])
        assert (standing["open_mode"], standing["warnings"]) == (False, [])
    with monitor("--config", str(path)) as one:
        assert "OPEN" not in one.log


def ws(one: Monitor) -> str:
    return one.address.replace("http", "ws") + "/ws"


def test_the_live_metrics_please_promtool(tmp_path: Path) -> None:
    with monitor("--config", str(config(tmp_path))) as one:
        for odd in range(50):
            one.request(f"/nothing/{odd}")
        text = one.request("/metrics")[2]
    assert b"/nothing/" not in text
    command = [tool("promtool", "prometheus"), "check", "metrics"]
    found = subprocess.run(command, input=text, capture_output=True, check=False).stdout.decode()
    complaints = [line for line in found.splitlines() if "fks_service_memory_usage_megabytes" not in line]
    assert complaints == []


@pytest.mark.parametrize(
    ("server", "headers", "status"),
    [
        ("", {"x_forwarded_for": "10.0.0.1"}, 403),
        ("", {"x_real_ip": "127.0.0.1"}, 403),
        ("", {"forwarded": "for=127.0.0.1"}, 403),
        ('trusted_proxies = ["127.0.0.1"]', {"x_forwarded_for": "10.0.0.1"}, 409),
        ('trusted_proxies = ["127.0.0.1"]', {"x_forwarded_for": "9.9.9.9"}, 403),
        ('trusted_proxies = ["127.0.0.1"]', {"x_forwarded_for": "10.0.0.1, 9.9.9.9"}, 403),
        ('trusted_proxies = ["127.0.0.1"]', {"x_real_ip": "10.0.0.1"}, 403),
        ('trusted_proxies = ["10.9.9.9"]', {"x_forwarded_for": "10.0.0.1"}, 403),
        (
            'trusted_proxies = ["127.0.0.1"]\nopen_networks = ["9.9.9.0/24"]',
            {"x_forwarded_for": "9.9.9.9"},
            409,
        ),
    ],
)
def test_open_mode_behind_a_proxy(tmp_path: Path, server: str, headers: dict[str, str], status: int) -> None:
    path = config(tmp_path, f"[server]\n{server}\n")
    with monitor("--config", str(path)) as one:
        assert "open_mode" in one.log
        assert one.request("/api/services/one/restart", "POST", **headers)[0] == status


@pytest.mark.parametrize(("trusted", "address"), [("127.0.0.0/8", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")])
def test_the_address_that_a_proxy_tells_counts_only_from_a_trusted_one(
    tmp_path: Path, trusted: str, address: str
) -> None:
    path = config(tmp_path, f'[server]\ntrusted_proxies = ["{trusted}"]\n')
    with monitor("--config", str(path), FKS_MONITOR_API_KEY=KEY) as one:
        one.request("/api/services/one/restart", "POST", x_api_key=KEY, x_forwarded_for="203.0.113.9")
        trail = json.loads(one.request("/api/audit", x_api_key=KEY)[2])
        assert trail[0]["address"] == address


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1", "https://{host}", "http://{host}.evil.example"]
)
@pytest.mark.parametrize("given", [{}, {"FKS_MONITOR_API_KEY": KEY}])
def test_s5_forms_and_fetches_of_other_origins_change_nothing(
    tmp_path: Path, origin: str, given: dict[str, str]
) -> None:
    with monitor("--config", str(config(tmp_path)), **given) as one:
        foreign = {"origin": origin.format(host=one.address.removeprefix("http://"))}
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
            for path in ("/api/services/one/restart", "/api/compose", "/api/silences"):
                status, headers, _ = one.request(path, "POST", x_api_key=KEY, content_type=kind, **foreign)
                assert (status, headers["access-control-allow-origin"]) == (403, None), (path, kind)
        with pytest.raises(InvalidStatus) as refused, connect(ws(one), additional_headers=foreign):
            pass
        assert refused.value.response.status_code == 403
