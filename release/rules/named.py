"""Who is in one part and what left of them, from names and days alone: no cell is looked at. Pure.

The plan over rows (release.engine.plan) says which rows and cells leave; this says the same of people. A
property test holds the two to one plain reading of every row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent.rules import Slots
from release.rules.decide import People

NOBODY = -1  # an empty place in a row that could name one more
NEVER = np.iinfo(np.int32).max  # the day of a row of no known day: within nobody's period
EVERY_GROUP = np.int64(-1)


@dataclass(frozen=True)
class Named:
    """Who stands together in a row, each combination once, and the first day of such a row.

    `slots`: combinations × people a row can name, NOBODY in empty places; `first`: days since 1970;
    `row`: for each row the place of its combination. The first day is enough to know who is inside:
    whatever a later row opens, an earlier one opens too.
    """

    slots: NDArray[np.int32]
    first: NDArray[np.int32]
    row: NDArray[np.intp]

    def people(self) -> Slots:
        """Everybody who is named, sorted."""
        everybody = _each(self.slots)[0]
        return np.extract(everybody != NOBODY, everybody)


@dataclass(frozen=True)
class Inside:
    """Whose record leaves, sorted, with the groups that leave somewhere of it.

    `in_period`: whose own word opened a row, whether or not the others in it allowed it.
    """

    slots: Slots
    groups: NDArray[np.int64]
    in_period: Slots


def named(slots: NDArray[np.int32], days: NDArray[np.int32]) -> Named:
    """From rows × people a row can name, and a day a row."""
    order = None
    if slots.shape[1] > 1 or np.any(np.diff(slots[:, 0]) < 0):  # parts are sorted by first person
        order = np.lexsort(slots.T[::-1])
        slots, days = slots[order], days[order]
    new = np.ones(len(slots), dtype=np.bool_)
    new[1:] = np.any(slots[1:] != slots[:-1], axis=1)
    starts = np.flatnonzero(new)
    place = np.cumsum(new) - 1
    row = place
    if order is not None:
        row = np.empty_like(place)
        row[order] = place
    first = np.minimum.reduceat(days, starts) if len(starts) else days
    return Named(slots[starts], first, row)


def inside(those: Named, people: People) -> Inside:
    """What the plan with these people lets leave of those."""
    known, at = found(those, people)
    open_ = known & (those.first[:, None] <= _at(people.record_until, at))
    own = np.where(open_, _at(people.groups, at), np.int64(0))
    here = those.slots != NOBODY
    own = np.where(here, own, EVERY_GROUP)  # an empty place asks nobody
    together = np.bitwise_and.reduce(own, axis=1)  # a row leaves with what everybody in it opened
    slots, place = _each(those.slots[here])
    leaving, allowed = np.zeros(len(slots), np.int64), np.zeros(len(slots), np.int64)
    np.bitwise_or.at(leaving, place, np.broadcast_to(together[:, None], own.shape)[here])
    np.bitwise_or.at(allowed, place, own[here])
    return Inside(
        slots=slots[leaving != 0].astype(np.int32),
        groups=leaving[leaving != 0],
        in_period=slots[allowed != 0].astype(np.int32),
    )


def _each(slots: NDArray[np.int32]) -> tuple[Slots, NDArray[np.intp]]:
    """Each of the slots once, sorted, and where each of all stands among them."""
    flat = slots.ravel()
    if np.all(np.diff(flat) > 0):  # one person a row: nothing to do
        return flat, np.arange(len(flat))
    once, place = np.unique(flat, return_inverse=True)
    return once, place


def found(those: Named, people: People) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """For each place of each combination whether the plan knows who stands there, and where."""
    at = np.searchsorted(people.slots, those.slots)
    at = np.minimum(at, max(0, len(people.slots) - 1))
    if not len(people.slots):
        return np.zeros(at.shape, np.bool_), at
    return people.slots[at] == those.slots, at


def _at(values: NDArray, places: NDArray[np.intp]) -> NDArray:
    return values[places] if len(values) else np.zeros(places.shape, values.dtype)
