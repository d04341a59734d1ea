"""A latency sketch: counts in buckets that grow by four per cent, so that a percentile is right to two.

Two sketches merge by adding. On disk a sketch is pairs of variable-length integers: the distance to the bucket before,
and the count.
"""

import math
from collections.abc import Iterator, Mapping

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


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the latency below which this share of checks lies, in microseconds; None without any."""
    rank = share * (sum(counts.values()) - 1)
    for index in sorted(counts):
        rank -= counts[index]
        if rank < 0:
            return value(index)
    return None


def pack(counts: Mapping[int, int]) -> bytes:
    packed, before = bytearray(), 0
    for index in sorted(counts):
        _put(packed, index - before)
        _put(packed, counts[index])
        before = index
    return bytes(packed)


def unpack(packed: bytes) -> Counts:
    counts, index = {}, 0
    numbers = _numbers(packed)
    for distance in numbers:
        index += distance
        counts[index] = next(numbers)
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
