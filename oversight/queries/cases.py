"""Readings of audit cases: which there are, what was read for them, and by whom that may be seen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Case, Q, QuerySet, When

from governance import permissions
from governance.models import Dataset, Organisation, User
from governance.queries import boards, people
from governance.vocabulary import Role
from oversight.models import AuditCase, Finding, FindingStep, Reading
from oversight.vocabulary import Step


def audited_by(user: User, at: datetime) -> list[Organisation]:
    """In whose name this user may read the log."""
    held = people.organisations_of(user, at, Role.AUDITOR)
    return [each for each in held if permissions.can_read_log(user, each)]


def of_auditor(user: User, at: datetime) -> QuerySet[AuditCase]:
    """The cases of the organisations this user audits for, the open ones first (`over` is 0), each part
    the latest first."""
    over = Case(When(closed_at__isnull=True, then=0), default=1)
    found = AuditCase.objects.filter(organisation__in=audited_by(user, at)).annotate(over=over)
    return found.select_related("organisation", "holder").order_by("over", "-pk")


def page_of_auditor(
    user: User, at: datetime, *, after: tuple[int, int] | None, most: int
) -> tuple[list[Any], tuple[int, int] | None]:
    """So many of them, and where the next page begins; `after`: where the page before ended."""
    found = of_auditor(user, at)
    if after is not None:
        part, row = after
        found = found.filter(Q(over__gt=part) | Q(over=part, pk__lt=row))
    rows: list[Any] = list(found[: most + 1])
    last = rows[most - 1] if len(rows) > most else None
    return rows[:most], None if last is None else (last.over, last.pk)


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


def datasets() -> QuerySet[Dataset]:
    """All datasets: an auditor of the log may ask about each."""
    return Dataset.objects.order_by("title")
