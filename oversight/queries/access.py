"""Who holds which role, and what speaks for a look at it. People are known by their references."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from audit.queries.search import last_deeds
from governance.models import Membership, Seat
from governance.queries import people
from governance.vocabulary import Role
from oversight.models import AuditCase, MembershipReview
from oversight.rules import access
from oversight.vocabulary import Flag

MOST = 500


@dataclass(frozen=True)
class Held:
    """One role as an auditor sees it."""

    membership: Membership
    flags: tuple[Flag, ...]
    last: datetime | None
    review: MembershipReview | None


def memberships(case: AuditCase, at: datetime) -> QuerySet[Membership]:
    """The roles that the case is about."""
    found = Membership.objects.filter(people.during(at)).select_related("user", "organisation")
    return found if case.holder_id is None else found.filter(organisation=case.holder_id)


def held(case: AuditCase, at: datetime) -> list[Held]:
    """The roles at the case's holder, or everywhere; those that are worth a look come first."""
    rows = list(memberships(case, at).order_by("organisation__name", "user__ref", "role")[:MOST])
    last = last_deeds({row.user.ref for row in rows})
    roles = _roles({row.user_id for row in rows}, at)
    reviews = {
        each.membership_id: each
        for each in MembershipReview.objects.filter(
            case=case, membership__in=[row.pk for row in rows]
        ).order_by("pk")
    }
    seen = [
        Held(
            row,
            access.flags(
                access.Holding(
                    role=Role(row.role),
                    roles=frozenset(roles[row.user_id]),
                    active=row.user.is_active and row.user.ended_at is None,
                    since=row.started_at,
                    last=last.get(row.user.ref),
                ),
                at,
            ),
            last.get(row.user.ref),
            reviews.get(row.pk),
        )
        for row in rows
    ]
    return sorted(seen, key=lambda each: not each.flags)


def _roles(users: set[int], at: datetime) -> dict[int, set[Role]]:
    found: dict[int, set[Role]] = {each: set() for each in users}
    theirs = Membership.objects.filter(people.during(at), user__in=users)
    for user, role in theirs.values_list("user_id", "role"):
        found[user].add(Role(role))
    sitting = Seat.objects.filter(people.during(at), user__in=users)
    for user in sitting.values_list("user_id", flat=True):
        found[user].add(Role.BOARD_MEMBER)
    return found
