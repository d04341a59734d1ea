"""A latency sketch: counts in buckets that grow by four per cent, so that a percentile is right to two.

Two sketches merge by adding. On disk a sketch is variable-length integers: the first bucket, its count, and for each
further bucket the distance to the one before, and the count.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

GROWTH = 1.04
_PER_LOG = 1 / math.log(GROWTH)

Counts = dict[int, int]


def bucket(microseconds: int) -> int:
    return math.ceil(math.log(microseconds) * _PER_LOG) if microseconds > 1 else 0


def value(index: int) -> float:
    """Give the middle of a bucket, in microseconds."""
    return 2 * GROWTH**index / (GROWTH + 1)


def merge(into: Counts, other: Mapping[int, int]) -> None:
    for index, count in other.items():
        into[index] = into.get(index, 0) + count


def quantiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[float]:
    """Return the latencies below which these shares of checks lie, in microseconds; of none, nothing.

    One pass answers all of them.
    """
    if not counts:
        return []
    indexes = sorted(counts)
    seen = list(accumulate(map(counts.__getitem__, indexes)))
    return [value(indexes[bisect_right(seen, share * (seen[-1] - 1))]) for share in shares]


def pack(counts: Mapping[int, int]) -> bytes:
    packed, before = bytearray(), 0
    for index in sorted(counts):
        _put(packed, index - before)
        _put(packed, counts[index])
        before = index
    return bytes(packed)


def merge_packed(into: Counts, packed: bytes) -> None:
    """Merge a sketch as it lies on disk; where all numbers but the first fit a byte each, without decoding."""
    start = 2 if packed and packed[0] > 127 else 1
    rest = packed[start:]
    if rest.isascii() and start <= len(packed):
        first = packed[0] if start == 1 else packed[0] & 127 | packed[1] << 7
        pairs = zip(accumulate(rest[1::2], initial=first), rest[::2], strict=True)
        if not into:
            into.update(pairs)
            return
        for index, count in pairs:
            into[index] = into.get(index, 0) + count
        return
    index = 0
    numbers = _numbers(packed)
    for distance in numbers:
        index += distance
        into[index] = into.get(index, 0) + next(numbers)


def unpack(packed: bytes) -> Counts:
    counts: Counts = {}
    merge_packed(counts, packed)
    return counts


def _put(packed: bytearray, number: int) -> None:
    while number > 127:
        packed.append(number & 127 | 128)
        number >>= 7
    packed.append(number)


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0
