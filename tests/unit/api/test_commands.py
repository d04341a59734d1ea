import asyncio
from pathlib import Path

from starlette.websockets import WebSocket

from fks_master.api.audit import Audit
from fks_master.api.auth import Authority, Caller, Doorkeeper, Key
from fks_master.api.commands import Commands, Fields, Remote, Send
from fks_master.api.doors import Doors
from fks_master.api.endpoint import Access
from fks_master.api.guard import Guard
from fks_master.clock import SystemClock


def socket() -> WebSocket:
    async def nothing(*_: object) -> None:
        raise AssertionError

    scope = {"type": "websocket", "headers": [], "state": {}, "client": ("10.0.0.1", 1), "path": "/ws"}
    return WebSocket({**scope, "query_string": b""}, nothing, nothing)  # type: ignore[arg-type]


async def test_the_trail_names_who_gave_each_of_two_commands_that_overlap(tmp_path: Path) -> None:
    """The name once stood on the connection, where the second command put another."""
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: Fields, __: Caller, ___: Send) -> None:
        is_begun.set()
        await may_end.wait()

    async def quick(_: Fields, __: Caller, ___: Send) -> None:
        return

    async def send(_: object) -> None:
        return

    keys = (Key.of("the owner", "one"), Key.of("a guest", "two"))
    clock, audit = SystemClock(), Audit(tmp_path / "audit.jsonl")
    doors = Doors(Guard(is_open=False), Doorkeeper(Authority(keys), clock), audit, clock)
    table = {name: Remote(access=Access.OPERATE, handle=handle) for name, handle in (("slow", slow), ("quick", quick))}
    commands, one = Commands(doors, table), socket()
    first = asyncio.create_task(commands.run(one, {"command_type": "slow", "token": "one"}, send))
    await is_begun.wait()
    await commands.run(one, {"command_type": "quick", "token": "two"}, send)
    may_end.set()
    await first
    assert [(each.who, each.action) for each in audit.latest] == [("the owner", "ws slow"), ("a guest", "ws quick")]
    await audit.close()
