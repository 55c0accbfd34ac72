"""Where sorted rows are cut into parts, and who is in a version, as bits."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

MOST_ROWS = 100_000
FAIR_ROWS = 90_000
BLOCK_BITS = 13
BLOCK = 1 << BLOCK_BITS

Numbers = npt.NDArray[np.int64]


def cuts(slots: Numbers, *, fair: int = FAIR_ROWS) -> list[tuple[int, int]]:
    """Stretches of about `fair` rows or fewer of rows sorted by person; no person is ever cut.

    A stretch is longer only where one person alone has more rows.
    """
    total = len(slots)
    if total == 0:
        return []
    starts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))  # each person's first row
    wanted = np.linspace(0, total, -(-total // fair) + 1)[1:-1]
    before = starts[np.searchsorted(starts, wanted, side="right") - 1]
    borders = np.unique(np.concatenate([[0], before, [total]])).tolist()
    return list(pairwise(borders))


def halves(slots: Numbers) -> int | None:
    """The border between two people nearest the middle; None where all rows are one person's."""
    starts = np.flatnonzero(np.diff(slots))
    if len(starts) == 0:
        return None
    borders = starts + 1
    return int(borders[np.argmin(np.abs(borders - len(slots) / 2))])


class PresenceBits:
    """People seen so far: block of 8,192 neighbouring slots → their bits, lowest bit first."""

    def __init__(self) -> None:
        self._blocks: dict[int, npt.NDArray[np.uint8]] = {}

    def add(self, slots: Numbers) -> None:
        present = np.unique(slots)
        for block in np.unique(present >> BLOCK_BITS).tolist():
            inside = present[present >> BLOCK_BITS == block] & (BLOCK - 1)
            bits = self._blocks.setdefault(block, np.zeros(BLOCK, dtype=np.uint8))
            bits[inside] = 1

    def people(self) -> int:
        return sum(int(bits.sum()) for bits in self._blocks.values())

    def chunks(self) -> list[tuple[int, bytes]]:
        return [
            (block, np.packbits(bits, bitorder="little").tobytes())
            for block, bits in sorted(self._blocks.items())
        ]
