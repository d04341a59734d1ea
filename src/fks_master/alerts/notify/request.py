"""What a receiver is, and what is sent to it."""

import msgspec


class Receiver(msgspec.Struct, frozen=True):
    """A named destination. `url`, `secret` and `token` are secrets."""

    name: str
    kind: str
    url: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Receiver({self.name!r}, {self.kind!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name), ("kind", self.kind)]


class Request(msgspec.Struct, frozen=True):
    """One POST."""

    url: str
    body: bytes
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return "Request(…)"
