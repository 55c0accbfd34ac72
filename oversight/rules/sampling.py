"""Drawing a sample that anybody can draw again. Pure.

Whoever has the printed seed and the same list gets the same sample; nobody can choose the seed so
that a certain line is in it or out of it without trying, and the seed is drawn by the machine.
"""

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest

LARGEST = 200


def drawn(population: Iterable[str], *, seed: str, size: int) -> list[str]:
    """`size` of them (all where there are fewer): those whose digest under the seed is lowest."""
    return nsmallest(size, population, key=lambda each: place(each, seed))


def place(each: str, seed: str) -> bytes:
    """Where one of them stands in the order of this seed."""
    return sha256(f"{seed}:{each}".encode()).digest()
