"""How every comparison looks: a page at a time, and again before it says anything."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from django.db.models import Model, QuerySet

from common.errors import NotReady
from oversight.vocabulary import Locked, Skipped, Told

T = TypeVar("T")
M = TypeVar("M", bound=Model)
F = TypeVar("F", bound=Told)
PAGE = 500

Step = Callable[[int], None]
"""Told after each page how many rows have been looked at."""

Check = Callable[[Step], Iterator[Told]]


def twice(look: Callable[[T], Iterator[F]], page: T) -> Iterator[F]:
    """What two looks both find. Deeds go on meanwhile: what commits between two readings of one
    look makes a difference that the next one no longer sees."""
    found = list(look(page))
    if found:
        again = set(look(page))
        yield from (each for each in found if each in again)


def in_part(refusal: NotReady, place: str, holder: str) -> Skipped | Locked:
    """What kept a comparison from its end: a key that was destroyed just now, or a holder's."""
    if refusal.code == "changed_meanwhile":
        return Skipped(place)
    return Locked(place, holder)


def keys(rows: QuerySet[M], *, size: int = PAGE) -> Iterator[list[int]]:
    """The keys of these rows in their order, a page at a time."""
    after = -1
    while page := list(
        rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size]
    ):
        yield page
        after = page[-1]


def chunks(values: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
