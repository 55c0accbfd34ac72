"""Standing between two steps of the gate: what a test does there, and the clock it may move on."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from governance.queries import clock
from release.actions.handing import HandedOver
from release.models import Release, ReleasePart
from release.rules.packed import unpack
from tests.worlds import World

Deed = Callable[[], object]


def before(patch: pytest.MonkeyPatch, place: ModuleType, step: str, deed: Deed) -> list[int]:
    """Do `deed` once, right before the step is taken; the list says how often the step was taken."""
    taken: list[int] = []
    real = getattr(place, step)

    def stepped(*args: Any, **named: Any) -> Any:
        taken.append(1)
        if len(taken) == 1:
            deed()
        return real(*args, **named)

    patch.setattr(place, step, stepped)
    return taken


class Later:
    """The database's clock, moved on by hand."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.by = timedelta(0)
        real, read = clock.now, clock.read
        patch.setattr(clock, "now", lambda: real() + self.by)
        patch.setattr(clock, "read", lambda microseconds: read(microseconds) + self.by)

    def pass_(self, **span: int) -> None:
        self.by += timedelta(**span)

    def now(self) -> datetime:
        return clock.now()


def part_of(world: World, release: Release, number: str) -> ReleasePart:
    """The part of the package that holds this client."""
    slot = world.subject(number).slot
    (found,) = [part for part in release.parts.all() if slot in unpack(part.slots)]
    return found


def drained(handed: HandedOver) -> bytes:
    return b"".join(handed.chunks)


def part_streams(handed: HandedOver) -> Iterator[tuple[str, bytes]]:
    """A streamed package in pieces, each with the name of the file in the zip it begins or goes on."""
    name = ""
    for piece in handed.chunks:
        if piece[:4] == b"PK\x03\x04":
            length = int.from_bytes(piece[26:28], "little")
            name = piece[30 : 30 + length].decode()
            continue
        yield name, piece
