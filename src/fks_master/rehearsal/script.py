"""The script: a file of YAML that says who is watched, what happens when, and what is to be told."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta

from fks_master.alerts.notice import Cause
from fks_master.alerts.rules.rule import Condition
from fks_master.config import formats, walk
from fks_master.config.load import from_document, load
from fks_master.config.schema import Config
from fks_master.errors import ConfigError
from fks_master.model import EventType, Reason

LARGEST = 1_000_000
SECTIONS = ("monitoring", "alerts", "services")
DEFAULT_START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)  # a Monday

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"
_DURATION = re.compile(rf"([+-]?)((?:{_PART})+)")
_DURATIONS = {"at", "for", "pause", "clock", "until"}


def parse_duration(text: str) -> timedelta:
    """Read "90s", "1h30m" or "-2d". Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('a time such as "90s", "1h30m" or "2d"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, match[2]))
    return timedelta(seconds=-seconds if match[1] == "-" else seconds)


def _is_duration(text: str) -> str | None:
    try:
        parse_duration(text)
    except (ValueError, OverflowError) as error:
        return str(error)
    return None


Duration = Annotated[str, Meta(extra={"format": _is_duration})]


class Behaviour(StrEnum):
    """How a service answers from then on."""

    OK = "ok"
    SLOW = "slow"
    DEGRADED = "degraded"
    FAIL = "fail"


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happens."""

    at: Duration = "0s"
    service: str | None = None
    services: tuple[str, ...] = ()
    is_: Behaviour | None = msgspec.field(name="is", default=None)
    reason: Reason = Reason.REFUSED
    ms: Annotated[float, Meta(ge=0, le=3_600_000)] | None = None
    message: str | None = None
    event: EventType | None = None
    data: dict[str, Any] = {}
    silence: dict[str, str] = {}
    where: tuple[Condition, ...] = ()
    for_: Duration | None = msgspec.field(name="for", default=None)
    acknowledge: str | None = None
    by: str = "somebody"
    restart: bool = False
    pause: Duration | None = None
    clock: Duration | None = None
    reload: dict[str, Any] = {}

    @property
    def seconds(self) -> float:
        return parse_duration(self.at).total_seconds()

    @property
    def whom(self) -> tuple[str, ...]:
        return (*((self.service,) if self.service else ()), *self.services)


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notification that is to be sent; what is left out may be anything. `message` is a part of it."""

    at: Duration | None = None
    to: str | None = None
    event: EventType | None = None
    service: str | None = None
    cause: Cause | None = None
    firing: bool | None = None
    message: str | None = None


class Lines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file, without the sections that are those of the config; `config` names one to take instead."""

    until: Duration
    timeline: tuple[Step, ...] = ()
    expect: tuple[Expected, ...] = ()
    start: Annotated[str, Meta(extra={"format": formats.moment})] | None = None
    config: str | None = None


class Script(msgspec.Struct, frozen=True):
    """A script that is in order. `expected` is None where the file only asks to be shown what would be told.

    `reloads` holds the configs that are taken up on the way, by the moments of their steps.
    """

    config: Config
    start: datetime
    seconds: float
    steps: tuple[Step, ...]
    expected: tuple[Expected, ...] | None
    reloads: Mapping[float, Config] = {}


def read(path: Path) -> Script:
    """Read a file. Raises ConfigError with every mistake in it."""
    document = _document(path)
    sections = {name: document.pop(name) for name in SECTIONS if name in document}
    mistakes = list(walk.find_mistakes(document, Lines))
    if mistakes:
        raise ConfigError(str(path), mistakes)
    lines = msgspec.convert(document, Lines)
    config = load(path.parent / lines.config, {}) if lines.config else from_document(sections, str(path))
    if lines.config:
        sections = tomllib.loads((path.parent / lines.config).read_text("utf-8-sig"))
    steps = tuple(sorted(lines.timeline, key=lambda one: one.seconds))
    reloads = _reloads(steps, sections, str(path))
    if unfit := list(_unfit(lines, (config, *reloads.values()))):
        raise ConfigError(str(path), unfit)
    return Script(
        config=config,
        start=datetime.fromisoformat(lines.start) if lines.start else DEFAULT_START,
        seconds=parse_duration(lines.until).total_seconds(),
        steps=steps,
        expected=lines.expect if "expect" in document else None,
        reloads=reloads,
    )


def _reloads(steps: Iterable[Step], sections: dict[str, Any], source: str) -> dict[float, Config]:
    """Read the configs of the steps that change it: each replaces the sections that it names."""
    found = {}
    for step in steps:
        if step.reload:
            sections = {**sections, **step.reload}
            found[step.seconds] = from_document(sections, f"{source}: reload at {step.at}")
    return found


def _document(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise ConfigError(str(path), [f"larger than {LARGEST} bytes"])
        document = yaml.safe_load(content)
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(str(path), [f"is no YAML: {error}"]) from error
    if not isinstance(document, dict):
        raise ConfigError(str(path), ["expected a mapping with services, timeline and expect"])
    plain: dict[str, Any] = _plain(document)
    return plain


def _plain(value: Any, key: object = None) -> Any:  # noqa: ANN401 - whatever YAML can hold
    """Write what YAML reads as a number or a moment as the text that it is here."""
    if isinstance(value, dict):
        return {str(name): _plain(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if key in _DURATIONS and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value}s"
    return value


def _unfit(lines: Lines, configs: tuple[Config, ...]) -> Iterator[str]:
    """Look at what has the right shape: who is named must be there, and a step must say one thing."""
    known = {service.id for config in configs for service in config.services}
    for index, step in enumerate(lines.timeline):
        path = f"timeline[{index}]"
        for name in step.whom:
            if name not in known:
                yield f"{path}: found {walk.show(name)}, expected the id of a service{walk.nearest(name, known)}"
        said = [name for name, is_said in KINDS.items() if is_said(step)]
        if len(said) != 1:
            yield f"{path}: expected exactly one of {', '.join(KINDS)}"
        if step.is_ and not step.whom:
            yield f"{path}: expected service or services"
        if (step.silence or step.where) and not step.for_:
            yield f"{path}: expected for, the time that the silence lasts"
    for index, one in enumerate(lines.expect):
        if one.service is not None and one.service not in known:
            yield f"expect[{index}].service: found {walk.show(one.service)}, expected the id of a service"


KINDS: Mapping[str, Callable[[Step], bool]] = {
    "is": lambda step: step.is_ is not None,
    "event": lambda step: step.event is not None,
    "silence": lambda step: bool(step.silence or step.where),
    "acknowledge": lambda step: step.acknowledge is not None,
    "restart": lambda step: step.restart,
    "pause": lambda step: step.pause is not None,
    "clock": lambda step: step.clock is not None,
    "reload": lambda step: bool(step.reload),
}
