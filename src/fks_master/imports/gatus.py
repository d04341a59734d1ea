"""Gatus' configuration, as YAML. Placeholders for the environment (`${NAME}`) stay as they are, and are said."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from fks_master.errors import ConfigError
from fks_master.imports import gatus_conditions, gatus_receivers
from fks_master.imports.draft import Draft, Values, heartbeat

Endpoint = Mapping[str, Any]
Remarks = list[str]

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
DAYS = {"monday": "mon", "tuesday": "tue", "wednesday": "wed", "thursday": "thu", "friday": "fri"} | {
    "saturday": "sat",
    "sunday": "sun",
}
DAY_MINUTES = 1440
DAY_SECONDS = 86400


def read(text: str) -> Draft:
    document = _document(text)
    draft = Draft(
        "a configuration of Gatus", {"check_interval_seconds": 60, "timeout_seconds": 10, "retry_attempts": 1}
    )
    receivers = gatus_receivers.add(draft, _mapping(document.get("alerting")))
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    thresholds: Counter[tuple[int, int]] = Counter()
    for endpoint in _list(document.get("endpoints") or document.get("services")):
        id_ = _add(draft, endpoint)
        alerts = [each for each in _list(endpoint.get("alerts")) if each.get("enabled", True)]
        kinds = dict.fromkeys(str(each.get("type")) for each in alerts)
        if id_:
            told[tuple(receivers[each] for each in kinds if each in receivers)].append(id_)
            thresholds.update(_threshold(each, _mapping(document.get("alerting"))) for each in alerts)
    _set_thresholds(draft, thresholds)
    _route(draft, told)
    _maintain(draft, _mapping(document.get("maintenance")))
    for each in _list(document.get("external-endpoints")):
        _expect(draft, each)
    if re.search(r"(?<!\$)\$(\{\w+\}|\w+)", text):
        draft.remarks.append("values with ${NAME} stand as they were written: put in what the environment had")
    return draft


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads words as Gatus does: `off` is a name and 23:30 a time, where older YAML has a truth and a number."""


Loader.yaml_implicit_resolvers = {}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.load(text, Loader)  # noqa: S506 - a kind of SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError("gatus", [f"not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(found, dict) or not (found.get("endpoints") or found.get("services")):
        raise ConfigError("gatus", ["no endpoints in it: expected a configuration of Gatus"])
    return found


def _expect(draft: Draft, external: Endpoint) -> None:
    remarks: Remarks = []
    period = seconds(str(_mapping(external.get("heartbeat")).get("interval") or ""))
    if period is None:
        remarks.append("how often it is to report was not said; a day is put in")
    values = heartbeat(external.get("token"), period or DAY_SECONDS, remarks)
    group = {"group": str(external["group"])} if external.get("group") else {}
    draft.add_service(str(external.get("name") or "job"), {**values, **group}, remarks)


def _list(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _threshold(alert: Mapping[str, Any], alerting: Mapping[str, Any]) -> tuple[int, int]:
    default = _mapping(_mapping(alerting.get(str(alert.get("type")))).get("default-alert"))
    both = {**default, **alert}
    failures, successes = both.get("failure-threshold", 3), both.get("success-threshold", 2)
    return (int(failures) if str(failures).isdigit() else 3, int(successes) if str(successes).isdigit() else 2)


def _set_thresholds(draft: Draft, thresholds: Counter[tuple[int, int]]) -> None:
    failures, successes = thresholds.most_common(1)[0][0] if thresholds else (3, 2)
    draft.alerts |= {"consecutive_failures_threshold": failures, "consecutive_successes_threshold": successes}
    if len(thresholds) > 1:
        draft.remarks.append("alerts had several thresholds; here all share the most frequent ones")


def _add(draft: Draft, endpoint: Endpoint) -> str | None:
    name, url = str(endpoint.get("name") or "service"), str(endpoint.get("url") or "")
    if not endpoint.get("enabled", True):
        draft.leave_out(name, "it was not enabled")
        return None
    kind = "dns" if endpoint.get("dns") else url.partition("://")[0].lower()
    make = MAKERS.get(kind)
    if make is None:
        shown = f"{kind}://" if "://" in url else "its kind"
        draft.leave_out(name, f"there is no check of {shown} here")
        return None
    remarks: Remarks = []
    values = make(endpoint, url, remarks)
    return draft.add_service(name, {**values, **_common(endpoint, remarks)}, remarks)


def _common(endpoint: Endpoint, remarks: Remarks) -> Values:
    found: Values = {}
    for key, value in (("interval", endpoint.get("interval")), ("timeout", _client(endpoint).get("timeout"))):
        if value is not None and (number := seconds(str(value))):
            found[f"{key}_seconds"] = number
    if endpoint.get("group"):
        found["group"] = str(endpoint["group"])
    if labels := _mapping(endpoint.get("extra-labels")):
        found["labels"] = {str(name): str(value) for name, value in labels.items()}
    if endpoint.get("maintenance-windows"):
        remarks.append("its own maintenance windows are missing; see [[alerts.maintenance]]")
    return found


def _client(endpoint: Endpoint) -> Mapping[str, Any]:
    return _mapping(endpoint.get("client"))


def _http(endpoint: Endpoint, url: str, remarks: Remarks) -> Values:
    client = _client(endpoint)
    options: Values = {}
    if (method := str(endpoint.get("method") or "GET")) != "GET":
        options["method"] = method
    if headers := _mapping(endpoint.get("headers")):
        options["headers"] = {str(name): str(value) for name, value in headers.items()}
    if endpoint.get("body"):
        options["body"] = str(endpoint["body"])
    if not client.get("ignore-redirect"):
        options["follow_redirects"] = True
    if client.get("proxy-url"):
        options["proxy"] = str(client["proxy-url"])
    if endpoint.get("graphql"):
        remarks.append('its body is to be wrapped by hand: {"query": …}')
    found: Values = {"health_endpoint": url, "detailed": False, "http": options, "tls": _tls(client)}
    gatus_conditions.carry_over(_conditions(endpoint), found, remarks)
    options.setdefault("expected_status", ["100-599"])
    return {name: value for name, value in found.items() if value != {}}


def _tls(client: Mapping[str, Any]) -> Values:
    found: Values = {"verify": False} if client.get("insecure") else {}
    tls = _mapping(client.get("tls"))
    for theirs, ours in (("certificate-file", "certificate"), ("private-key-file", "key")):
        if tls.get(theirs):
            found[ours] = str(tls[theirs])
    return found


def _connection(endpoint: Endpoint, url: str, remarks: Remarks) -> Values:
    tls = _tls(_client(endpoint)) if url.startswith("tls://") else {}
    found: Values = {"health_endpoint": url, "tls": tls}
    gatus_conditions.carry_over(_conditions(endpoint), found, remarks)
    return {name: value for name, value in found.items() if value != {}}


def _starttls(_: Endpoint, url: str, remarks: Remarks) -> Values:
    remarks.append("STARTTLS is not spoken here; only whether it takes connections is checked")
    return {"health_endpoint": f"tcp://{urlsplit(url).netloc}"}


def _dns(endpoint: Endpoint, url: str, remarks: Remarks) -> Values:
    asked = _mapping(endpoint.get("dns"))
    server = f"[{url}]" if url.count(":") > 1 and not url.startswith("[") else url
    server = server if ":" in server.rpartition("]")[2] else f"{server}:53"
    found: Values = {
        "health_endpoint": f"dns://{server}/{asked.get('query-name') or ''}".rstrip("."),
        "dns": {"record": str(asked.get("query-type") or "A")},
    }
    gatus_conditions.carry_over(_conditions(endpoint), found, remarks)
    return found


def _conditions(endpoint: Endpoint) -> list[str]:
    return _strings(endpoint.get("conditions"))


MAKERS: dict[str, Callable[[Endpoint, str, Remarks], Values]] = {
    "http": _http,
    "https": _http,
    "tcp": _connection,
    "tls": _connection,
    "starttls": _starttls,
    "dns": _dns,
}


def seconds(text: str) -> float | int | None:
    """Read "1m30s" or "500ms"."""
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        return None
    found = sum(float(number) * SECONDS[unit] for number, unit in parts)
    return int(found) if float(found).is_integer() else round(found, 3)


def _route(draft: Draft, told: Mapping[tuple[str, ...], Iterable[str]]) -> None:
    """Write routes unless everything goes to everybody, which needs none."""
    everybody = set(draft.receiver_names)
    if all(set(each) == everybody for each in told):
        return
    for receivers, services in told.items():
        if receivers:
            draft.add_route(receivers, list(services))
        else:
            draft.remarks.append(f"nobody is told about {', '.join(services)}, as before")


def _maintain(draft: Draft, window: Mapping[str, Any]) -> None:
    """Carry the one daily window over."""
    start, lasts = str(window.get("start") or ""), seconds(str(window.get("duration") or ""))
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", start)
    if not match or not lasts or window.get("enabled") is False:
        return
    end = (int(match[1]) * 60 + int(match[2]) + int(lasts // 60)) % DAY_MINUTES
    days = [DAYS[str(each).lower()] for each in _strings(window.get("every")) if str(each).lower() in DAYS]
    times = {"from": f"{int(match[1]):02}:{match[2]}", "to": f"{end // 60:02}:{end % 60:02}"}
    more = {"weekdays": days} if days else {}
    draft.add_maintenance({"name": "maintenance", **times, **more, "zone": str(window.get("timezone") or "UTC")})
