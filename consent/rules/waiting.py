"""Which yes waits before it counts, and for how long. Pure.

What lets more go than now waits, so that nobody is hurried into it; what lets less go never waits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance.vocabulary import OrganisationKind

CAUTIOUS = frozenset(
    {OrganisationKind.POLICE, OrganisationKind.PROSECUTOR, OrganisationKind.IMMIGRATION}
)
"""Whom a first yes always waits for: what they know cannot be called back."""

AT_ONCE = timedelta()
SOONEST = timedelta(days=14)  # a renewal is asked for so long before the end at the earliest


@dataclass(frozen=True)
class Extent:
    """How far one yes reaches: category versions, from when, until when, up to which record."""

    versions: frozenset[int]
    starts: datetime
    ends: datetime
    record_until: date
    paused: bool = False


def widens(old: Extent, new: Extent) -> bool:
    """Whether anything could go under the new yes, at any time, that could not under the old one.

    A paused yes lets nothing go, so whatever takes its place widens.
    """
    return (
        old.paused
        or not new.versions <= old.versions
        or new.starts < old.starts
        or new.ends > old.ends
        or new.record_until > old.record_until
    )


def cooling(*, recipient_kind: str, old: Extent | None, new: Extent, wait: timedelta) -> timedelta:
    """How long the new yes waits. `old`: what runs to the same recipient for the same purpose."""
    if old is None:
        return wait if recipient_kind in CAUTIOUS else AT_ONCE
    return wait if widens(old, new) else AT_ONCE


def fewer(chosen: Collection[int], old: Collection[int]) -> bool:
    """Whether some of the old categories are left, none is new, and not all are."""
    return bool(chosen) and set(chosen) < set(old)


def renewal_from(starts: datetime, ends: datetime) -> datetime:
    """From when on the one renewal is asked for: the last third, and two weeks at the most."""
    return ends - min(SOONEST, (ends - starts) / 3)
