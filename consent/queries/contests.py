"""What people say is wrong, or is not to be shared for now: as they, their helpers and stewards see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from consent.models import Contest, Subject
from consent.rules import contests as rules
from consent.vocabulary import Contested, Decided
from governance.models import Organisation, User


@dataclass(frozen=True)
class Open:
    """One that is not decided yet, as a steward sees it: whose it is is not told."""

    contest: Contest
    answer_by: datetime
    overdue: bool

    @property
    def choices(self) -> list[Decided]:
        """What may be decided."""
        return list(rules.GOES_AGAIN[Contested(self.contest.kind)])


def waiting(holders: Collection[Organisation], at: datetime) -> list[Open]:
    """What waits to be decided at these holders, the longest first."""
    rows = _rows().filter(
        subject__holder__in=holders, subject__shredded_at__isnull=True, decided_at__isnull=True
    )
    return [
        Open(each, rules.answer_by(each.asked_at), rules.overdue(each.asked_at, at))
        for each in rows.order_by("asked_at", "pk")
    ]


def of(account: User) -> list[tuple[Contest, datetime]]:
    """All of this sign-in's, decided or not, the newest first; each with the day to answer by."""
    return _answered(_rows().filter(subject__account=account))


def of_subject(subject: Subject) -> list[tuple[Contest, datetime]]:
    """The same of one person as one holder knows her."""
    return _answered(_rows().filter(subject=subject))


def _answered(rows: QuerySet[Contest]) -> list[tuple[Contest, datetime]]:
    return [(each, rules.answer_by(each.asked_at)) for each in rows.order_by("-asked_at", "-pk")]


def _rows() -> QuerySet[Contest]:
    return Contest.objects.select_related("subject__holder", "category")
