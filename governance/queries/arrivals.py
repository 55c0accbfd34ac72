"""Readings of invitations and of sign-ins set anew; and whose hands count."""

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from common import codes
from governance.models import AccountReset, Invitation, Membership, Organisation, User
from governance.rules import AGREED_LIFE, SETTLED, Around, Hands, hands
from governance.vocabulary import OrganisationKind, Role, UserKind

INVITED, FIRST_HALF, SECOND_HALF = "invitation", "first half", "second half"


def open_invitations(at: datetime) -> QuerySet[Invitation]:
    """What may still be accepted at this instant, the latest first."""
    return (
        Invitation.objects.filter(
            created_at__lte=at,
            expires_at__gt=at,
            accepted_at__isnull=True,
            withdrawn_at__isnull=True,
        )
        .select_related("organisation", "invited_by")
        .prefetch_related("roles")
        .order_by("-created_at", "-pk")
    )


def invitation(code: str, at: datetime) -> Invitation | None:
    """What this code opens at this instant."""
    return open_invitations(at).filter(digest=codes.digest(code, INVITED)).first()


def resets() -> QuerySet[AccountReset]:
    return AccountReset.objects.select_related("user", "organisation", "asked_by", "agreed_by")


def waiting_resets(at: datetime) -> QuerySet[AccountReset]:
    """Asked, and waiting for the second hand."""
    waiting = resets().filter(closed_at__isnull=True, agreed_at__isnull=True, expires_at__gt=at)
    return waiting.order_by("-asked_at", "-pk")


def agreed_resets(at: datetime) -> QuerySet[AccountReset]:
    """Agreed, and not used yet."""
    return resets().filter(
        closed_at__isnull=True, used_at__isnull=True, agreed_at__gt=at - AGREED_LIFE
    )


def reset(first: str, second: str, at: datetime) -> AccountReset | None:
    """What these two halves open together at this instant, whichever is typed first."""
    one = Q(
        first_digest=codes.digest(first, FIRST_HALF),
        second_digest=codes.digest(second, SECOND_HALF),
    )
    other = Q(
        first_digest=codes.digest(second, FIRST_HALF),
        second_digest=codes.digest(first, SECOND_HALF),
    )
    return agreed_resets(at).filter(one | other).first()


def untold(user: User) -> AccountReset | None:
    """The last time this person began anew, while they have not said that they know of it."""
    return (
        resets()
        .filter(user=user, used_at__isnull=False, told_at__isnull=True)
        .order_by("-used_at")
        .first()
    )


def places(person: User) -> list[Organisation | None]:
    """Through which organisations somebody can be let in anew: where they administer, else where
    they have a role; None, the community, where they have none."""
    held = Membership.objects.filter(user=person, ended_at__isnull=True)
    administered = held.filter(role=Role.ADMINISTRATOR)
    chosen = administered if administered.exists() else held
    found = Organisation.objects.filter(pk__in=chosen.values("organisation")).order_by("name")
    return [*found] or [None]


def hands_over(person: User, organisation: Organisation | None, at: datetime) -> Hands:
    """Whose two hands let this person begin anew, through this organisation, at this instant."""
    held = Membership.objects.filter(
        role=Role.ADMINISTRATOR,
        ended_at__isnull=True,
        started_at__lte=at - SETTLED,
        user__is_active=True,
        user__shut_at__isnull=True,
        user__kind=UserKind.STAFF,
    )

    def users(where: Q) -> frozenset[int]:
        return frozenset(held.filter(where).values_list("user", flat=True))

    return hands(
        Around(
            person=person.pk,
            own=users(Q(organisation=organisation)) if organisation else frozenset(),
            community=users(Q(organisation__kind=OrganisationKind.COMMUNITY)),
            verified=users(Q(organisation__verified_at__isnull=False)),
        )
    )


def through(person: User, by: User | None, at: datetime) -> tuple[bool, Organisation | None]:
    """Whether `by` (None: the operator) has a hand in it, and through which organisation."""
    for place in places(person):
        allowed = hands_over(person, place, at)
        if by.pk in allowed.users if by is not None else allowed.operator:
            return True, place
    return False, None


def stood_in_for(by: User, at: datetime) -> list[User]:
    """Staff of other organisations in whose beginning anew this user has a hand: those of bodies
    with too few administrators, those with a seat alone, and a community's last administrator."""
    own = Membership.objects.filter(user=by, role=Role.ADMINISTRATOR, ended_at__isnull=True)
    held = Membership.objects.filter(ended_at__isnull=True)
    convenes = own.filter(organisation__kind=OrganisationKind.COMMUNITY).exists()
    enough = (
        held.filter(role=Role.ADMINISTRATOR)
        .values("organisation")
        .annotate(count=Count("pk"))
        .filter(count__gt=2)
        .values("organisation")
    )
    found = User.objects.filter(kind=UserKind.STAFF, is_active=True).exclude(pk=by.pk)
    found = found.exclude(
        pk__in=held.filter(organisation__in=own.values("organisation")).values("user")
    )
    if convenes:
        found = found.exclude(pk__in=held.filter(organisation__in=enough).values("user"))
    else:
        conveners = held.filter(
            role=Role.ADMINISTRATOR, organisation__kind=OrganisationKind.COMMUNITY
        )
        found = found.filter(pk__in=conveners.values("user"))
    return [person for person in found.order_by("username") if through(person, by, at)[0]]
