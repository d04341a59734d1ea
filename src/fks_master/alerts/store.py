"""What alerts remember on disk: open alerts, how far events were read, silences, and the outbox."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fks_master.alerts.notice import Alert, Notice, Outgoing
from fks_master.alerts.silences import Silence, Window
from fks_master.model import Event
from fks_master.storage import Database, Statement, load_migrations, load_queries
from fks_master.storage.database import from_ms, to_ms

SQL = load_queries("fks_master.alerts")
MIGRATIONS = load_migrations("fks_master.alerts", "alerts")
EVENTS_AFTER = load_queries("fks_master.storage")["events_after"]
EVENTS_AT_ONCE = 500
CURSOR = "alerts"
WINDOW_MARK = "window-"


class Delivery(msgspec.Struct):
    """One notice for one receiver, in the outbox. `number` is its place in the order."""

    id: str
    number: int
    receiver: str
    notice: Notice
    created: datetime
    state: str = "pending"
    tries: int = 0
    answer: str | None = None
    finished: datetime | None = None


class Remembered(msgspec.Struct, frozen=True):
    """What an earlier process left. `cursor` is None where none ever ran."""

    alerts: list[Alert]
    silences: list[Silence]
    windows: list[Window]
    pending: list[Delivery]
    newest: int
    cursor: int | None


class Store:
    """Reads and writes through the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remembered(self, now: datetime) -> Remembered:
        fetch = self._database.fetch
        muting = await fetch(SQL["silences"], now_ms=to_ms(now))
        cursor = [row["event_id"] for row in await fetch(SQL["cursor"], name=CURSOR)]
        return Remembered(
            alerts=[_read(row["body"], Alert) for row in await fetch(SQL["alerts"])],
            silences=[_read(row["body"], Silence) for row in muting if not _is_window(row)],
            windows=[_read(row["body"], Window) for row in muting if _is_window(row)],
            pending=[_delivery(row) for row in await fetch(SQL["pending_deliveries"])],
            newest=(await fetch(SQL["newest_delivery"]))[0]["number"],
            cursor=cursor[0] if cursor else None,
        )

    async def execute(self, statements: Sequence[Statement]) -> None:
        await self._database.execute(*statements)

    async def events(self, after: int, until: int) -> list[Event]:
        """Give the events of an earlier process that were not read."""
        found: list[Event] = []
        while rows := await self._database.fetch(EVENTS_AFTER, after=after, count=EVENTS_AT_ONCE):
            found += (_read(row["body"], Event) for row in rows)
            after = found[-1].id
        return [event for event in found if event.id <= until]

    async def deliveries(self, count: int) -> list[Delivery]:
        """Give the newest deliveries, newest first."""
        rows = await self._database.fetch(SQL["deliveries"], count=count)
        return [_logged(row) for row in rows]


def alert_statements(changed: Iterable[tuple[str, Alert | None]]) -> list[Statement]:
    return [
        SQL["forget_alert"](alert_key=key) if alert is None else SQL["store_alert"](alert_key=key, body=_text(alert))
        for key, alert in changed
    ]


def cursor_statement(event_id: int) -> Statement:
    return SQL["move_cursor"](name=CURSOR, event_id=event_id)


def delivery_of(outgoing: Outgoing, number: int, now: datetime) -> Delivery:
    return Delivery(f"{outgoing.notice.id}@{outgoing.receiver}", number, outgoing.receiver, outgoing.notice, now)


def added(delivery: Delivery) -> Statement:
    return SQL["add_delivery"](
        delivery_id=delivery.id,
        number=delivery.number,
        receiver=delivery.receiver,
        service_id=delivery.notice.service_id,
        body=_text(delivery.notice),
        created_ms=to_ms(delivery.created),
    )


def finished(deliveries: Iterable[Delivery]) -> list[Statement]:
    return [
        SQL["finish_delivery"](
            delivery_id=one.id,
            state=one.state,
            tries=one.tries,
            answer=one.answer,
            finished_ms=to_ms(one.finished) if one.finished else None,
        )
        for one in deliveries
    ]


def pruned(before: datetime) -> Statement:
    return SQL["prune_deliveries"](before_ms=to_ms(before))


def silence_statement(silence: Silence) -> Statement:
    return SQL["store_silence"](silence_id=silence.id, body=_text(silence), ends_ms=to_ms(silence.ends))


def window_statement(window: Window) -> Statement:
    """Store a planned window beside the silences, under an id that tells it from them."""
    ends_ms = to_ms(window.ends) if window.ends else 0
    return SQL["store_silence"](silence_id=window.id, body=_text(window), ends_ms=ends_ms)


def forgotten_silence(silence_id: str) -> Statement:
    return SQL["forget_silence"](silence_id=silence_id)


def _is_window(row: Any) -> bool:  # noqa: ANN401 - a row of any store
    return str(row["silence_id"]).startswith(WINDOW_MARK)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _read(body: str, kind: Any) -> Any:  # noqa: ANN401 - of the kind that is named
    return msgspec.json.decode(body, type=kind)


def _delivery(row: Any) -> Delivery:  # noqa: ANN401 - a row of any store
    created = from_ms(row["created_ms"])
    return Delivery(row["delivery_id"], row["number"], row["receiver"], _read(row["body"], Notice), created)


def _logged(row: Any) -> Delivery:  # noqa: ANN401 - a row of any store
    delivery = _delivery(row)
    delivery.state, delivery.tries, delivery.answer = row["state"], row["tries"], row["answer"]
    delivery.finished = from_ms(row["finished_ms"]) if row["finished_ms"] else None
    return delivery
