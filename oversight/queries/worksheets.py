"""Readings of samples that holders hold against paper."""

from collections.abc import Iterable

from django.db.models import QuerySet

from audit.vocabulary import EntryType
from consent.models import Consent, ConsentEvent
from consent.vocabulary import Happening
from governance.models import Organisation
from oversight.models import AuditCase, Worksheet, WorksheetLine
from oversight.rules import sampling

MOST = sampling.LARGEST


def imported(holder: Organisation) -> list[str]:
    """The references of all yeses of this holder that came by an import."""
    events = ConsentEvent.objects.filter(
        happening=Happening.GIVEN,
        entry__type=EntryType.CONSENT_IMPORTED,
        consent__holder=holder,
    )
    return list(events.order_by("consent_id").values_list("consent__ref", flat=True))


def consents(refs: Iterable[str]) -> dict[str, Consent]:
    return {each.ref: each for each in Consent.objects.filter(ref__in=list(refs))}


def of_case(case: AuditCase) -> QuerySet[Worksheet]:
    return Worksheet.objects.filter(case=case).select_related("holder").order_by("-pk")


def at_holders(holders: Iterable[Organisation]) -> QuerySet[Worksheet]:
    """The samples that these holders are asked to check, the latest first."""
    found = Worksheet.objects.filter(holder__in=list(holders))
    return found.select_related("holder", "case__organisation").order_by("-pk")


def line(worksheet: Worksheet, number: int) -> WorksheetLine | None:
    found = worksheet.lines.select_related("worksheet__holder")
    return found.filter(number=number).first()


def lines(worksheet: Worksheet) -> list[WorksheetLine]:
    found = worksheet.lines.select_related(
        "consent__recipient", "consent__purpose", "consent__terms", "check_made"
    )
    return list(found.order_by("number"))
