"""Readings of what holders asked about one client."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, QuerySet

from consent.queries import sharing
from governance.models import DataCategory, Organisation, Purpose, User
from governance.permissions import can_steward_now
from release.models import Inquiry
from release.queries.uses import Met, What
from release.vocabulary import Ground

MOST = 10  # a system may ask about somebody many times a day


@dataclass(frozen=True)
class AskedAbout:
    """One question about her as she sees it: of the answer no, the ground; of a yes, what of hers."""

    recipient: Organisation
    purpose: Purpose
    at: datetime
    permitted: bool
    what: tuple[What, ...]
    ground: Ground | None


def visible_to(user: User, holder: Organisation) -> QuerySet[Inquiry]:
    """What this holder was answered, for its stewards; nothing for anybody else."""
    if not can_steward_now(user, holder):
        return Inquiry.objects.none()
    return Inquiry.objects.filter(request__dataset__holder=holder).select_related("entry")


def met(account: User) -> list[Met]:
    """Every organisation that was named in a question about this account's records."""
    first = dict(
        _about(account)
        .values_list("request__requester")
        .annotate(first=Min("at"))
        .order_by("request__requester")
    )
    found = Organisation.objects.in_bulk(first)
    return [Met(found[pk], at) for pk, at in first.items()]


def count(account: User, *, without: Collection[int] = ()) -> int:
    """How many questions were asked about this account's records, but for these recipients' own."""
    return _about(account).exclude(request__requester__in=without).count()


def of(
    account: User, *, first: int = 0, most: int = MOST, without: Collection[int] = ()
) -> list[AskedAbout]:
    """The questions about this account's records, newest first, from the one numbered `first` on;
    `without` those of these recipients."""
    about = _about(account).exclude(request__requester__in=without)
    rows = about.select_related("request__requester", "request__purpose")
    newest = list(rows.order_by("-at", "-pk")[first : first + most])
    codes = {code for inquiry in newest for code in inquiry.columns}
    categories = {each.code: each for each in DataCategory.objects.filter(code__in=codes)}
    return [
        AskedAbout(
            recipient=inquiry.request.requester,
            purpose=inquiry.request.purpose,
            at=inquiry.at,
            permitted=inquiry.permitted,
            what=tuple(
                What(categories[code], tuple(inquiry.columns[code]))
                for code in sorted(inquiry.columns)
            ),
            ground=Ground(inquiry.grounds.split(",")[0]) if inquiry.grounds else None,
        )
        for inquiry in newest
    ]


def _about(account: User) -> QuerySet[Inquiry]:
    return Inquiry.objects.filter(subject__in=sharing.subjects(account).values("pk"))
