"""Logging: structured, to standard error, for people or as one JSON object a line."""

import logging
import sys
from collections.abc import Callable, Mapping

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Ids = Callable[[], Mapping[str, str]]


def configure(level: str, *, as_json: bool, ids: Ids = dict) -> None:
    """Set up our own log and the standard library's alike.

    `ids` names the trace that a line belongs to. Values are escaped: no service can forge a line of the log. Tracebacks
    are plain: those with the values of variables would tell secrets, and take seconds in which nothing else happens.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _with(ids),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    endings = _as_json() if as_json else _for_people()
    structlog.configure(
        processors=[*shared, *endings],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *endings]
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _as_json() -> list[Processor]:
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]


def _for_people() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _with(ids: Ids) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.update(ids())
        return event

    return add
