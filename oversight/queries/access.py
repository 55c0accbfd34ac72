"""Who holds which role, and what speaks for a look at it. People are known by their references."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from audit.queries.search import last_deed
from governance.models import Membership, Seat
from governance.queries import people
from governance.vocabulary import Role
from oversight.models import AuditCase, MembershipReview
from oversight.rules import access
from oversight.vocabulary import Flag

PAGE = 100


@dataclass(frozen=True)
class Held:
    """One role as an auditor sees it."""

    membership: Membership
    flags: tuple[Flag, ...]
    last: datetime | None
    review: MembershipReview | None


@dataclass(frozen=True)
class Page:
    """Roles, those that are worth a look first; `next` says after which the next page begins."""

    rows: list[Held]
    next: tuple[int, int] | None


def memberships(case: AuditCase, at: datetime) -> QuerySet[Membership]:
    """The roles that the case is about."""
    found = Membership.objects.filter(people.during(at)).select_related("user", "organisation")
    return found if case.holder_id is None else found.filter(organisation=case.holder_id)


def held(case: AuditCase, at: datetime, *, after: tuple[int, int] | None) -> Page:
    """The roles at the case's holder, or everywhere: those that are worth a look, the oldest first, and
    then the others. `after`: where the page before ended, by `place`."""
    rows = list(memberships(case, at).annotate(last=last_deed("user__ref")))
    roles = _roles({row.user_id for row in rows}, at)
    flagged = {row.pk: _flags(row, roles[row.user_id], at) for row in rows}

    def place(row: Membership) -> tuple[int, int]:
        return (0 if flagged[row.pk] else 1), row.pk

    rest = sorted((row for row in rows if after is None or place(row) > after), key=place)
    page = rest[:PAGE]
    reviews = {
        each.membership_id: each
        for each in MembershipReview.objects.filter(
            case=case, membership__in=[row.pk for row in page]
        ).order_by("pk")
    }
    return Page(
        [Held(row, flagged[row.pk], row.last, reviews.get(row.pk)) for row in page],
        place(page[-1]) if len(rest) > PAGE else None,
    )


def _flags(row: Any, roles: set[Role], at: datetime) -> tuple[Flag, ...]:
    holding = access.Holding(
        role=Role(row.role),
        roles=frozenset(roles),
        active=row.user.is_active and row.user.ended_at is None,
        since=row.started_at,
        last=row.last,
    )
    return access.flags(holding, at)


def _roles(users: set[int], at: datetime) -> dict[int, set[Role]]:
    found: dict[int, set[Role]] = {each: set() for each in users}
    theirs = Membership.objects.filter(people.during(at), user__in=users)
    for user, role in theirs.values_list("user_id", "role"):
        found[user].add(Role(role))
    sitting = Seat.objects.filter(people.during(at), user__in=users)
    for user in sitting.values_list("user_id", flat=True):
        found[user].add(Role.BOARD_MEMBER)
    return found
