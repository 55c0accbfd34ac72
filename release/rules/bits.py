"""People as bits: 8,192 neighbouring slots in 1,024 bytes, lowest bit first. Pure."""

from collections.abc import Iterable

import numpy as np

from consent.rules import Slots
from release.rules.slots import once, united

BLOCK_BITS = 13
BLOCK = 1 << BLOCK_BITS


def block_of(slot: int) -> int:
    """In which block a slot lies."""
    return slot >> BLOCK_BITS


def place_of(slot: int) -> tuple[int, int]:
    """The byte of a slot within its block, and its mask within that byte."""
    bit = slot & (BLOCK - 1)
    return bit >> 3, 1 << (bit & 7)


def chunks_of(slots: Slots) -> list[tuple[int, bytes]]:
    """The slots as (block, bits), blocks rising."""
    ordered = once(slots)
    found = []
    for block in np.unique(ordered >> BLOCK_BITS).tolist():
        bits = np.zeros(BLOCK, dtype=np.uint8)
        bits[ordered[ordered >> BLOCK_BITS == block] & (BLOCK - 1)] = 1
        found.append((block, np.packbits(bits, bitorder="little").tobytes()))
    return found


def slots_of(chunks: Iterable[tuple[int, bytes | memoryview]]) -> Slots:
    """The sorted slots of many chunks, each once."""
    found = [
        (
            np.flatnonzero(np.unpackbits(np.frombuffer(bytes(bits), np.uint8), bitorder="little"))
            + block * BLOCK
        ).astype(np.int32)
        for block, bits in chunks
    ]
    return united(found)
