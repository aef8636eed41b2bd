"""A seeded fuzzer of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random


def bad_inputs(samples: Sequence[bytes], oversized: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Random bytes, and good inputs that are cut, changed, mixed, stretched or announce too much.

    Args:
        samples: good inputs.
        oversized: inputs that are too large, or say that they are.
        count: how many.
        seed: the same seed gives the same inputs.
    """
    randomness = Random(seed)
    for _ in range(count):
        good = randomness.choice(samples)
        kind = randomness.random()
        if kind < 0.15:
            yield randomness.randbytes(randomness.randrange(1, 200))
        elif kind < 0.35:
            yield good[: randomness.randrange(len(good) + 1)]
        elif kind < 0.75:
            yield _changed(good, randomness)
        elif kind < 0.85:
            other = randomness.choice(samples)
            yield good[: randomness.randrange(len(good) + 1)] + other[randomness.randrange(len(other) + 1) :]
        elif kind < 0.97:
            at = randomness.randrange(len(good) + 1)
            slab = randomness.choice([randomness.randbytes(1), good]) * randomness.randrange(1, 50)
            yield good[:at] + slab[:10_000] + good[at:]
        else:
            yield randomness.choice(oversized)


def _changed(good: bytes, randomness: Random) -> bytes:
    data = bytearray(good or b"\0")
    for _ in range(randomness.randrange(1, 9)):
        at = randomness.randrange(len(data))
        data[at] = randomness.choice([randomness.randrange(256), data[at] ^ 1 << randomness.randrange(8), 0, 255])
    return bytes(data)
