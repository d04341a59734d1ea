"""A metric family as data, for parts that have figures but do not write them."""

import msgspec


class Family(msgspec.Struct, frozen=True):
    """A name, what kind it is (counter or gauge), its help, and labelled values."""

    name: str
    kind: str
    text: str
    samples: tuple[tuple[dict[str, str], float], ...]
