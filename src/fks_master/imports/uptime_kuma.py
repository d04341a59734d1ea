"""Uptime Kuma's database, its backup (of version 1), or a list of monitors from its API."""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from fks_master.errors import ConfigError
from fks_master.imports import kuma_receivers
from fks_master.imports.draft import Draft, Values, heartbeat

Monitor = Mapping[str, Any]
Remarks = list[str]

HTTP_TYPES = ("http", "keyword", "json-query")
DATABASE_PORTS = {"mysql": 3306, "postgres": 5432, "redis": 6379, "mongodb": 27017, "sqlserver": 1433, "mqtt": 1883}
NOT_OURS = {
    "ping": "ping is no kind of check here; a tcp:// check of a port that must answer says more",
}


def read(text: str) -> Draft:
    return draft_of(_document(text), "a backup of Uptime Kuma")


def draft_of(document: Mapping[str, Any], origin: str) -> Draft:
    monitors = [each for each in _items(document.get("monitorList")) if isinstance(each, dict)]
    draft = Draft(origin, {"check_interval_seconds": 60, "timeout_seconds": 48, "retry_attempts": 1})
    threshold = _threshold(monitors)
    draft.alerts["consecutive_failures_threshold"] = threshold
    receivers = kuma_receivers.add(draft, _items(document.get("notificationList")))
    groups = {str(each.get("id")): str(each.get("name")) for each in monitors if each.get("type") == "group"}
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for monitor in monitors:
        id_ = _add(draft, monitor, groups, threshold)
        if id_:
            told[_receivers_of(monitor, receivers)].append(id_)
    _route(draft, told)
    return draft


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("uptime-kuma", [f"not JSON: {error}"]) from error
    if isinstance(found, list):
        return {"monitorList": found}
    if not isinstance(found, dict) or not isinstance(found.get("monitorList"), list):
        raise ConfigError("uptime-kuma", ["no monitorList in it: expected a backup of Uptime Kuma"])
    return found


def _threshold(monitors: Iterable[Monitor]) -> int:
    """Take what most monitors have: it retries so many times before it tells, we count so many failed checks."""
    counts = Counter(_whole(each.get("maxretries")) + 1 for each in monitors if each.get("type") != "group")
    return min(1000, counts.most_common(1)[0][0]) if counts else 1


def _add(draft: Draft, monitor: Monitor, groups: Mapping[Any, str], threshold: int) -> str | None:
    name, kind = str(monitor.get("name") or "service"), str(monitor.get("type"))
    if kind == "group":
        return None
    if not monitor.get("active", True):
        draft.leave_out(name, "it was paused")
        return None
    if monitor.get("upsideDown"):
        draft.leave_out(name, "it was upside down (well when it does not answer), which is not possible here")
        return None
    make = _maker(kind)
    if make is None:
        draft.leave_out(name, NOT_OURS.get(kind, f"there is no check of type {kind!r} here"))
        return None
    remarks: Remarks = []
    values = make(monitor, remarks)
    if values is None:
        draft.leave_out(name, "; ".join(remarks))
        return None
    if _whole(monitor.get("maxretries")) + 1 != threshold:
        remarks.append(
            f"it was told after {_whole(monitor.get('maxretries')) + 1} failures; here all share a threshold"
        )
    return draft.add_service(name, {**values, **_common(monitor, groups)}, remarks)


def _maker(kind: str) -> Callable[[Monitor, Remarks], Values | None] | None:
    if kind in HTTP_TYPES:
        return _http
    if kind in DATABASE_PORTS:
        return _database
    return {"port": _port, "dns": _dns, "docker": _docker, "push": _push}.get(kind)


def _common(monitor: Monitor, groups: Mapping[Any, str]) -> Values:
    found: Values = {}
    if (interval := _number(monitor.get("interval"))) and monitor.get("type") != "push":
        found["interval_seconds"] = interval
    if timeout := _number(monitor.get("timeout")):
        found["timeout_seconds"] = timeout
    if group := groups.get(str(monitor.get("parent"))):
        found["group"] = group
    tags = [each for each in _items(monitor.get("tags")) if isinstance(each, dict) and each.get("name")]
    if tags:
        found["labels"] = {str(each["name"]): str(each.get("value") or "yes") for each in tags}
    return found


def _http(monitor: Monitor, remarks: Remarks) -> Values | None:
    options: Values = {}
    if (method := str(monitor.get("method") or "GET")) != "GET":
        options["method"] = method
    if headers := _headers(monitor, remarks):
        options["headers"] = headers
    if monitor.get("body"):
        options["body"] = str(monitor["body"])
    codes = [str(each) for each in _items(monitor.get("accepted_statuscodes"))]
    if codes and codes != ["200-299"]:
        options["expected_status"] = codes
    if _whole(monitor.get("maxredirects", 10)):
        options["follow_redirects"] = True
    _expect(monitor, options, remarks)
    if monitor.get("proxyId"):
        remarks.append("its proxy is to be set in [services.http] proxy")
    values: Values = {"health_endpoint": str(monitor.get("url") or ""), "detailed": False, "http": options}
    if monitor.get("ignoreTls"):
        values["tls"] = {"verify": False}
    return values


def _headers(monitor: Monitor, remarks: Remarks) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        written = json.loads(monitor.get("headers") or "{}")
        found = {str(name): str(value) for name, value in written.items()}
    except (ValueError, TypeError, AttributeError):
        remarks.append("its headers are no JSON object, and are missing here")
    how = monitor.get("authMethod") or ("basic" if monitor.get("basic_auth_user") else None)
    if how == "basic":
        pair = f"{monitor.get('basic_auth_user') or ''}:{monitor.get('basic_auth_pass') or ''}"
        found["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif how:
        remarks.append(f"its authentication by {how} is not possible here, and missing")
    return found


def _expect(monitor: Monitor, options: Values, remarks: Remarks) -> None:
    """Carry over what the body must hold."""
    kind = monitor.get("type")
    if kind == "keyword" and monitor.get("keyword"):
        options["excludes" if monitor.get("invertKeyword") else "contains"] = [str(monitor["keyword"])]
    if kind == "json-query":
        operator = str(monitor.get("jsonPathOperator") or "==")
        wanted = f"{operator} {monitor.get('expectedValue')}"
        if operator in {"==", "!=", "<", ">", "<=", ">="}:
            options["json"] = {str(monitor.get("jsonPath") or "$"): wanted}
        else:
            remarks.append(f"its condition on JSON ({operator}) is not possible here, and missing")


def _port(monitor: Monitor, _: Remarks) -> Values:
    return {"health_endpoint": f"tcp://{_host(monitor.get('hostname'))}:{_whole(monitor.get('port'))}"}


def _dns(monitor: Monitor, _: Remarks) -> Values:
    server, port = monitor.get("dns_resolve_server"), _whole(monitor.get("port")) or 53
    where = f"{_host(str(server).split(',')[0].strip())}:{port}/" if server else ""
    record = str(monitor.get("dns_resolve_type") or "A")
    return {"health_endpoint": f"dns://{where}{monitor.get('hostname')}", "dns": {"record": record}}


def _docker(monitor: Monitor, remarks: Remarks) -> Values:
    container = str(monitor.get("docker_container") or "")
    if monitor.get("docker_host") not in (None, 1):
        remarks.append("its Docker host was another one of several; here there is one")
    return {"health_endpoint": f"docker://{container}", "docker_container": container}


def _push(monitor: Monitor, remarks: Remarks) -> Values:
    return heartbeat(monitor.get("pushToken"), _number(monitor.get("interval")), remarks)


def _database(monitor: Monitor, remarks: Remarks) -> Values | None:
    """Only ask whether it takes connections: the password in the address is nothing for a config."""
    kind = str(monitor.get("type"))
    try:
        url = urlsplit(str(monitor.get("databaseConnectionString") or ""))
        host, port = url.hostname or monitor.get("hostname"), url.port or _whole(monitor.get("port"))
    except ValueError:
        host, port = None, 0
    if not host:
        remarks.append("its address could not be read")
        return None
    remarks.append(f"only whether {kind} takes connections is checked; no query")
    return {"health_endpoint": f"tcp://{_host(host)}:{port or DATABASE_PORTS[kind]}"}


def _receivers_of(monitor: Monitor, known: Mapping[str, str]) -> tuple[str, ...]:
    chosen = monitor.get("notificationIDList")
    ids = [name for name, is_on in chosen.items() if is_on] if isinstance(chosen, dict) else map(str, _items(chosen))
    return tuple(known[each] for each in ids if each in known)


def _route(draft: Draft, told: Mapping[tuple[str, ...], list[str]]) -> None:
    """Write routes unless everything goes to everybody, which needs none."""
    everybody = set(draft.receiver_names)
    if all(set(each) == everybody for each in told):
        return
    for receivers, services in told.items():
        if receivers:
            draft.add_route(receivers, services)
        else:
            draft.remarks.append(f"nobody is told about {', '.join(services)}, as before")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _host(name: object) -> str:
    text = str(name or "")
    return f"[{text}]" if ":" in text and not text.startswith("[") else text


def _number(value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return (int(found) if found.is_integer() else found) if 0 < found <= 86400 else None


def _whole(value: object) -> int:
    return int(_number(value) or 0)
