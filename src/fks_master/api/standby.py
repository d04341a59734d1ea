"""What an instance answers that waits for another one to end: that it waits."""

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

REASON = "standby: another FKS Master works on the same history; this one takes over when that one ends"


async def answer_standby(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything with 503."""
    if scope["type"] == "http":
        body = msgspec.json.encode({"status": "unhealthy", "service": "fks_master", "reason": REASON})
        await Response(body, 503, {"Retry-After": "5"}, "application/json")(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013, "reason": "standby"})
