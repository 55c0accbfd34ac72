"""The latest no of people: what a yes must be younger than."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import F, Max, Q

from consent.models import Consent, Objection
from consent.vocabulary import Ending
from governance.models import Organisation, Purpose


def noes(*, slots: Iterable[int], recipient: Organisation, purpose: Purpose) -> dict[int, datetime]:
    """For each slot that ever said no to this recipient and purpose: when it last did.

    A no is a stopped consent or an objection that speaks about the whole of this ask, standing or
    lifted: lifting it does not make an older yes come back.
    """
    wanted = list(slots)
    found: dict[int, datetime] = {}
    for start in range(0, len(wanted), 5000):
        chunk = wanted[start : start + 5000]
        stopped = Consent.objects.filter(
            subject__in=chunk, recipient=recipient, purpose=purpose, ending=Ending.WITHDRAWN
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
            objected.values_list("subject_id").annotate(last=Max(F("made_at"))),
        ):
            for slot, last in rows:
                found[slot] = max(last, found.get(slot, last))
    return found


def replaced(
    *, slots: Iterable[int], recipient: int, purpose: int, since: datetime
) -> dict[int, date]:
    """For each slot whose yes of that instant has ended since: the last day of record it had."""
    wanted = list(slots)
    found: dict[int, date] = {}
    for start in range(0, len(wanted), 5000):
        rows = (
            Consent.objects.filter(
                subject__in=wanted[start : start + 5000],
                recipient=recipient,
                purpose=purpose,
                recorded_at__lte=since,
                ended_at__gte=since,
            )
            .values_list("subject_id")
            .annotate(last=Max("record_until"))
        )
        found.update(dict(rows))
    return found
