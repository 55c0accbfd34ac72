"""Which yeses have come to their end, and are not written down as ended yet."""

from datetime import datetime

from django.db.models import QuerySet

from consent.models import Consent
from consent.vocabulary import Signer

UNNOTED = {"ended_at__isnull": True, "expired_at__isnull": True}


def unnoted(at: datetime, most: int) -> list[tuple[int, int]]:
    """So many of them, the oldest end first: each with its person's slot.

    Those whose own end has come, and those of others who spoke for her and may do so no more.
    """
    own = Consent.objects.filter(**UNNOTED, ends__lte=at).order_by("ends", "pk")
    found = list(own.values_list("pk", "subject_id")[:most])
    theirs = _silent(at).order_by("spoken__representative__ends", "pk")
    return found + list(theirs.values_list("pk", "subject_id")[: most - len(found)])


def _silent(at: datetime) -> QuerySet[Consent]:
    return Consent.objects.filter(
        **UNNOTED, signer=Signer.GUARDIAN, ends__gt=at, spoken__representative__ends__lte=at
    )
