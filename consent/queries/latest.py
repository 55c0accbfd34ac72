"""The latest no of people: what a yes must be younger than."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import F, Max, Q

from consent.models import Consent, ConsentEvent, Objection, Subject
from consent.rules import SKEW
from consent.vocabulary import Ending, Happening
from governance.models import Organisation, Purpose

REFUSING = (Ending.WITHDRAWN, Ending.INVALIDATED)  # being replaced is no no: it is a newer yes


def noes(*, slots: Iterable[int], recipient: Organisation, purpose: Purpose) -> dict[int, datetime]:
    """For each slot that ever said no to this recipient and purpose: when it last did.

    A no is a consent that was stopped, or was never valid; a pause, gone on from or not; that a yes
    was made smaller; or an objection that speaks about the whole of this ask, standing or lifted. That she let it go on, or
    lifted it, does not make an older yes come back.
    """
    wanted = list(slots)
    found: dict[int, datetime] = {}
    for start in range(0, len(wanted), 5000):
        chunk = wanted[start : start + 5000]
        stopped = Consent.objects.filter(
            subject__in=chunk, recipient=recipient, purpose=purpose, ending__in=REFUSING
        )
        less = ConsentEvent.objects.filter(
            happening__in=[Happening.PAUSED, Happening.NARROWED],
            consent__subject__in=chunk,
            consent__recipient=recipient,
            consent__purpose=purpose,
        )
        objected = Objection.objects.filter(
            Q(recipient__isnull=True) | Q(recipient=recipient),
            Q(recipient_kind="") | Q(recipient_kind=recipient.kind),
            Q(purpose__isnull=True) | Q(purpose=purpose),
            subject__in=chunk,
            category__isnull=True,
        )
        for rows in (
            stopped.values_list("subject_id").annotate(last=Max(F("ended_at"))),
            less.values_list("consent__subject_id").annotate(last=Max(F("at"))),
            objected.values_list("subject_id").annotate(last=Max(F("made_at"))),
        ):
            for slot, last in rows:
                found[slot] = max(last, found.get(slot, last))
    return found


def wiped(*, holder: int, slots: Iterable[int]) -> dict[int, datetime]:
    """For each slot that was taken up after a record of this holder was wiped: when that was, last.

    It may be the same person again: nothing tells that, nor may anything. What was signed before it
    may be a paper of hers from then, and her no to everyone came after it.
    """
    rows = Subject.objects.filter(holder=holder, shredded_at__isnull=False)
    times = sorted(at for at in rows.values_list("shredded_at", flat=True) if at is not None)
    wanted = list(slots) if times else []
    found: dict[int, datetime] = {}
    for start in range(0, len(wanted), 5000):
        later = Subject.objects.filter(
            slot__in=wanted[start : start + 5000], enrolled_at__gte=times[0] - SKEW
        )
        for slot, enrolled in later.values_list("slot", "enrolled_at"):
            found[slot] = times[bisect_right(times, enrolled + SKEW) - 1]
    return found


def yes(*, subject: Subject, recipient: Organisation, purpose: Purpose) -> datetime | None:
    """When the yes was signed that stands on record for this, run out or not; None without one."""
    same = {"subject": subject, "recipient": recipient, "purpose": purpose}
    found = Consent.objects.filter(ended_at__isnull=True, **same).first()
    return None if found is None else found.signed_at


def replaced(
    *, slots: Iterable[int], recipient: int, purpose: int, since: datetime
) -> dict[int, date]:
    """For each slot whose yes of that instant has ended since: the last day of record it had.

    Yeses follow one another, and their ends are of the database's clock: of those that ended since,
    the one that stood at the instant ended first. When it was recorded a door's clock says, which
    may be ahead.
    """
    wanted = list(slots)
    found: dict[int, date] = {}
    for start in range(0, len(wanted), 5000):
        rows = (
            Consent.objects.filter(
                subject__in=wanted[start : start + 5000],
                recipient=recipient,
                purpose=purpose,
                recorded_at__lte=since + SKEW,
                ended_at__gte=since,
            )
            .order_by("ended_at", "pk")
            .values_list("subject_id", "record_until")
        )
        for slot, last in rows:
            found.setdefault(slot, last)
    return found
