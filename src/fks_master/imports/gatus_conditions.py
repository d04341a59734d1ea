"""Gatus' conditions, such as `[STATUS] == 200`, as options of ours."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from fks_master.imports.draft import Values

Remarks = list[str]

OPERATOR = re.compile("==|!=|<=|>=|<|>")
CALL = re.compile(r"(any|pat|len|has)\((.*)\)", re.DOTALL)
DURATION_HOURS = re.compile(r"(\d+(?:\.\d+)?)h")
STATUS_FROM, STATUS_TO = 100, 599
ALWAYS_HOLD = {("[CONNECTED]", "==", "true"), ("[DNS_RCODE]", "==", "NOERROR")}


def carry_over(conditions: Iterable[str], values: Values, remarks: Remarks) -> None:
    """Put each condition where it belongs in a service's tables; what has no place becomes a remark."""
    for condition in conditions:
        operator = OPERATOR.search(condition)
        left, right = (condition[: operator.start()], condition[operator.end() :]) if operator else (condition, "")
        if not operator or not _carry(left.strip(), operator[0], right.strip(), values, remarks):
            remarks.append(f"its condition {condition!r} is not possible here, and missing")


def _carry(left: str, operator: str, right: str, values: Values, remarks: Remarks) -> bool:
    if (left, operator, right) in ALWAYS_HOLD:
        return True
    for name, carry in _CARRIERS:
        if left.startswith(name):
            return carry(left.removeprefix(name), operator, right, values, remarks)
    has = re.fullmatch(r"has\(\[BODY\](.+)\)", left)
    if has is None or (operator, right) != ("==", "true") or "http" not in values:
        return False
    return _json(has[1], "exists", values)


def _status(rest: str, operator: str, right: str, values: Values, _: Remarks) -> bool:
    options = values.get("http")
    wanted = right[4:-1].split(",") if right.startswith("any(") and operator == "==" else [right]
    numbers = [each.strip() for each in wanted]
    if rest or options is None or not all(re.fullmatch(r"[1-5]\d\d", each) for each in numbers):
        return False
    first = int(numbers[0])
    ranges = {
        "==": numbers,
        "<": [f"{STATUS_FROM}-{first - 1}"],
        "<=": [f"{STATUS_FROM}-{first}"],
        ">": [f"{first + 1}-{STATUS_TO}"],
        ">=": [f"{first}-{STATUS_TO}"],
        "!=": [f"{STATUS_FROM}-{first - 1}", f"{first + 1}-{STATUS_TO}"],
    }
    options["expected_status"] = _both(options.get("expected_status"), ranges[operator])
    return True


def _both(before: list[str] | None, now: list[str]) -> list[str]:
    """Two conditions must both hold: give the statuses in both, as ranges."""
    if before is None:
        return now
    allowed = _numbers(before) & _numbers(now)
    starts = sorted(each for each in allowed if each - 1 not in allowed)
    ends = sorted(each for each in allowed if each + 1 not in allowed)
    return [f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]


def _numbers(ranges: Iterable[str]) -> set[int]:
    bounds = [(int(each[:3]), int(each[-3:])) for each in ranges]
    return {number for low, high in bounds for number in range(low, high + 1)}


def _time(rest: str, operator: str, right: str, values: Values, remarks: Remarks) -> bool:
    if rest or operator not in {"<", "<="} or not right.isdigit():
        return False
    values["expected_response_time_ms"] = int(right)
    remarks.append("an answer that is too slow makes it Degraded here, not Unhealthy")
    return True


def _certificate(rest: str, operator: str, right: str, values: Values, remarks: Remarks) -> bool:
    hours = DURATION_HOURS.fullmatch(right)
    if rest or operator not in {">", ">="} or hours is None:
        return False
    values.setdefault("tls", {})["warn_days"] = round(float(hours[1]) / 24, 2)
    remarks.append("a certificate that ends soon makes it Degraded here, not Unhealthy")
    return True


def _body(rest: str, operator: str, right: str, values: Values, _: Remarks) -> bool:
    if "dns" in values:
        return not rest and operator == "==" and not CALL.fullmatch(right) and _answer(right, values)
    if "http" not in values:
        return False
    if rest:
        return _field(rest, operator, right, values)
    pattern = _pattern(right)
    if operator == "==" and pattern is not None:
        values["http"].setdefault("matches", []).append(pattern)
        return True
    return False


def _answer(address: str, values: Values) -> bool:
    values["dns"].setdefault("expected", []).append(address)
    return True


def _field(path: str, operator: str, right: str, values: Values) -> bool:
    call = CALL.fullmatch(right)
    if call is None:
        return _json(path, f"{operator} {right}", values)
    pattern = _pattern(right)
    return operator == "==" and pattern is not None and _json(path, f"~ {pattern}", values)


def _json(path: str, condition: str, values: Values) -> bool:
    """Paths are written alike; one place can hold one condition."""
    conditions: dict[str, Any] = values["http"].setdefault("json", {})
    plain = path.removeprefix(".") or "$"
    if plain in conditions:
        return False
    conditions[plain] = condition
    return True


def _pattern(text: str) -> str | None:
    """Turn a text, `pat(a*b)` or `any(a, b)` into a regular expression for all of a value; None: another function."""
    call = CALL.fullmatch(text)
    if call is None:
        return rf"(?s)\A\s*{re.escape(text)}\s*\z"
    if call[1] == "pat":
        return rf"(?s)\A{'.*'.join(map(re.escape, call[2].split('*')))}\z"
    if call[1] == "any":
        return rf"\A(?:{'|'.join(re.escape(each.strip()) for each in call[2].split(','))})\z"
    return None


_CARRIERS: tuple[tuple[str, Callable[[str, str, str, Values, Remarks], bool]], ...] = (
    ("[STATUS]", _status),
    ("[RESPONSE_TIME]", _time),
    ("[CERTIFICATE_EXPIRATION]", _certificate),
    ("[BODY]", _body),
)
