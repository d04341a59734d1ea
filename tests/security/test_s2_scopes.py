"""S2: every route and every command with every scope and role, from the API's own table: nobody may more than said."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from tests.process import PATIENCE, Monitor, monitor
from websockets.sync.client import ClientConnection, connect

SECRET = "a secret of at least thirty-two bytes"
RANK = {"nobody": 0, "read": 1, "operate": 2, "admin": 3}
ROLES = {"viewer": "read", "orchestrate": "operate", "admin": "admin"}
NOT_FOR_CHANGES = {"nobody", "no role", "role viewer"}  # 401; a key that may too little is 403
COMMANDS = {"follow_job": "read", "restart_service": "operate", "compose": "operate", "cancel_job": "operate"}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    folder: Path = tmp_path_factory.mktemp("scopes")
    keys = "".join(
        f'[[api_keys]]\nname = "{scope}"\nhash = "{hashlib.sha256(scope.encode()).hexdigest()}"\nscope = "{scope}"\n'
        for scope in ("read", "operate", "admin")
    )
    (folder / "monitor.toml").write_text(keys + '[[services]]\nid = "one"\nhealth_endpoint = "http://127.0.0.1:1/"\n')
    given = {"FKS_WS_JWT_SECRET": SECRET, "DOCKER_HOST": f"unix://{folder}/none.sock"}
    with monitor("--config", "monitor.toml", folder=folder, **given) as running:
        yield running


def credentials() -> dict[str, tuple[str, dict[str, str]]]:
    """Return, by name, what each may, and the headers that say who it is."""
    found = {f"key {scope}": (scope, {"x_api_key": scope}) for scope in ("read", "operate", "admin")}
    for role, scope in ROLES.items():
        token = jwt.encode({"exp": time.time() + 600, "roles": [role]}, SECRET, algorithm="HS256")
        found[f"role {role}"] = (scope, {"authorization": f"Bearer {token}"})
    nothing = jwt.encode({"exp": time.time() + 600, "roles": []}, SECRET, algorithm="HS256")
    return {"nobody": ("nobody", {}), "no role": ("read", {"authorization": f"Bearer {nothing}"}), **found}


def table(one: Monitor) -> list[tuple[str, str, str]]:
    return [
        (method.upper(), path.replace("{", "").replace("}", ""), what.get("x-scope", "nobody"))
        for path, methods in one.get("/openapi.json")["paths"].items()
        for method, what in methods.items()
    ]


def test_s2_every_route_with_every_credential(one: Monitor) -> None:
    routes = table(one)
    assert {scope for _, _, scope in routes} >= {"nobody", "read", "operate"}
    for method, path, needed in routes:
        for name, (scope, headers) in credentials().items():
            status = one.request(path, method, {} if method != "GET" else None, **headers)[0]
            if RANK[scope] >= RANK[needed]:
                assert status not in {401, 403}, (method, path, name, status)
            else:
                assert status == (401 if name in NOT_FOR_CHANGES else 403), (method, path, name, status)


def test_s2_no_route_is_left_out_of_the_table(one: Monitor) -> None:
    for method, path in (("GET", "/api"), ("POST", "/api/none"), ("GET", "/internal"), ("GET", "/api/keys")):
        assert one.request(path, method, x_api_key="admin")[0] in {404, 405}
    for method, path, _ in table(one):
        if method == "GET":
            assert one.request(path, "DELETE", x_api_key="read")[0] in {401, 403, 404, 405}


def answer(live: ClientConnection) -> dict[str, object]:
    while True:
        message: dict[str, object] = json.loads(live.recv(PATIENCE))
        if message["type"] not in {"initial", "update", "event"}:
            return message


def test_s2_every_command_with_every_credential(one: Monitor) -> None:
    for name, (scope, headers) in credentials().items():
        said = {key.replace("_", "-"): value for key, value in headers.items()}
        with connect(one.address.replace("http", "ws") + "/ws", additional_headers=said) as live:
            for command, needed in COMMANDS.items():
                fields = {"service_id": "one", "action": "stop", "project": "x", "job_id": "none"}
                live.send(json.dumps({"command_type": command, **fields}))
                told = answer(live)
                if RANK[scope] >= RANK[needed]:
                    assert told.get("status") not in {401, 403}, (command, name, told)
                else:
                    assert told["status"] == (401 if name in NOT_FOR_CHANGES else 403), (command, name, told)
                    assert told["reason"] == "unauthorized"
            live.send(json.dumps({"command_type": "nothing"}))
            known = str(answer(live)["reason"]).partition("known are ")[2].split(", ")
            assert set(known) - set(COMMANDS) <= {
                *("authenticate", "subscribe_events", "clear_subscription", "subscribe_changes"),
                "get_service_details",
            }, "a new command belongs into this table"
