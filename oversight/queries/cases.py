"""Readings of audit cases: which there are, what was read for them, and by whom that may be seen."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from governance import permissions
from governance.models import Dataset, Organisation, User
from governance.queries import boards, people
from governance.vocabulary import Role
from oversight.models import AuditCase, Finding, FindingStep, Reading
from oversight.vocabulary import Step

M = TypeVar("M", bound=Model)


def audited_by(user: User, at: datetime) -> list[Organisation]:
    """In whose name this user may read the log."""
    held = people.organisations_of(user, at, Role.AUDITOR)
    return [each for each in held if permissions.can_read_log(user, each)]


def of_auditor(user: User, at: datetime) -> QuerySet[AuditCase]:
    """The cases of the organisations this user audits for, the open ones first."""
    found = AuditCase.objects.filter(organisation__in=audited_by(user, at))
    return found.select_related("organisation", "holder").order_by("-closed_at", "-opened_at")


def open_for(holders: Iterable[Organisation]) -> QuerySet[AuditCase]:
    """The open cases for which one of these holders may be asked who a client is."""
    about = Q(holder__isnull=True) | Q(holder__in=list(holders))
    found = AuditCase.objects.filter(about, closed_at__isnull=True)
    return found.select_related("organisation", "holder").order_by("-opened_at")


def findings(user: User, at: datetime) -> QuerySet[Finding]:
    """What concerns this user: found for those they audit for, about an organisation they look
    after, or about one whose data a board decides on that they sit on. The community sees all."""
    found = Finding.objects.select_related("case__organisation", "organisation").order_by("-pk")
    if permissions.can_convene(user):
        return found
    own = people.organisations_of(user, at)
    looked_after = [
        each
        for each in own
        if permissions.can_steward(user, each) or permissions.can_administer(user, each)
    ]
    seats = boards.seats_of(user, at)
    governed = Dataset.objects.filter(board__in=seats.values("board")).values("holder")
    return found.filter(
        Q(case__organisation__in=audited_by(user, at))
        | Q(organisation__in=looked_after)
        | Q(organisation__in=governed)
    )


def steps(finding: Finding) -> list[FindingStep]:
    return list(finding.steps.select_related("by").order_by("pk"))


def said(finding: Finding, step: str, text: str) -> dict[str, str]:
    """What is sealed beside the entry of one step: with the first, also what the finding is about."""
    if step != Step.OPENED:
        return {"text": text}
    number = "" if finding.number is None else str(finding.number)
    about = {"title": finding.title, "about": finding.organisation.ref, "number": number}
    return {**about, "text": text}


def may_see_readings(user: User, at: datetime) -> bool:
    """Whether this user sees what auditors read: the community, and everybody on a board."""
    return permissions.can_convene(user) or boards.seats_of(user, at).exists()


def readings() -> QuerySet[Reading]:
    """What auditors read, the latest first."""
    return Reading.objects.select_related("case__organisation", "by").order_by("-pk")


def page(found: QuerySet[M], before: int | None, most: int) -> list[M]:
    """So many of these, which stand latest first, below a row's number."""
    return list((found if before is None else found.filter(pk__lt=before))[:most])


def datasets() -> QuerySet[Dataset]:
    """All datasets: an auditor of the log may ask about each."""
    return Dataset.objects.order_by("title")
