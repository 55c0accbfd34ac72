"""Sorted slots as few bytes: differences as 32-bit numbers, compressed. Pure."""

import zlib

import numpy as np

from consent.rules import Slots


def pack(slots: Slots) -> bytes:
    """Sorted slots as bytes."""
    return zlib.compress(np.diff(slots, prepend=0).astype("<i4").tobytes(), 1)


def unpack(packed: bytes | memoryview) -> Slots:
    """The sorted slots again."""
    steps = np.frombuffer(zlib.decompress(bytes(packed)), dtype="<i4")
    return np.cumsum(steps, dtype=np.int64).astype(np.int32)
