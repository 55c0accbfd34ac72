"""Until when a recipient may keep what it got, by the terms of the yes under which it got it."""

from collections.abc import Iterable
from datetime import date, datetime

from common.days import begins, day_of
from consent.models import Consent, Terms
from consent.rules import SKEW
from consent.vocabulary import Ending


def until(day: date | None) -> datetime | None:
    """The instant that a day named in terms comes to."""
    return None if day is None else begins(day)


def kept(
    *, slots: Iterable[int], recipient: int, purpose: int, since: datetime, at: datetime
) -> dict[int, datetime]:
    """Of these people those whose yes of the instant `since` was under terms that name a day which is
    still to come at `at`, with that day's beginning.

    A yes that never counted lets nobody keep anything, nor does a smaller one in its place.
    """
    if not Terms.objects.filter(keep_until__gt=day_of(at)).exists():
        return {}
    wanted = list(slots)
    found: dict[int, datetime] = {}
    for start in range(0, len(wanted), 5000):
        found |= _kept(wanted[start : start + 5000], recipient, purpose, since, at)
    return found


def _kept(
    slots: list[int], recipient: int, purpose: int, since: datetime, at: datetime
) -> dict[int, datetime]:
    hers = Consent.objects.filter(subject__in=slots, recipient=recipient, purpose=purpose)
    void = set(hers.filter(ending=Ending.INVALIDATED).values_list("subject_id", "signed_at"))
    # Yeses follow one another: of those that had not ended by then, the one that ended first stood.
    stood = hers.filter(recorded_at__lte=since + SKEW).exclude(ended_at__lt=since)
    rows = stood.order_by("pk").values_list(
        "subject_id", "signed_at", "ended_at", "terms__keep_until"
    )
    first: dict[int, tuple[datetime | None, datetime, date | None]] = {}
    for slot, signed, ended, day in rows:
        held = first.get(slot)
        if held is None or _sooner(ended, held[0]):
            first[slot] = (ended, signed, day)
    return {
        slot: begins(day)
        for slot, (_, signed, day) in first.items()
        if day is not None and begins(day) > at and (slot, signed) not in void
    }


def _sooner(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one < other)
