"""Readings of organisations, memberships, keys and tokens."""

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from django.db.models import Q, QuerySet

from governance.models import ApiToken, Membership, Organisation, RecipientKey, User
from governance.vocabulary import Role


def during(at: datetime) -> Q:
    """What has started and not ended at this instant."""
    return Q(started_at__lte=at) & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))


def memberships(user: User, at: datetime) -> QuerySet[Membership]:
    """The roles this user has at this instant."""
    return Membership.objects.filter(during(at), user=user).select_related("organisation")


def organisations_of(user: User, at: datetime, role: Role | None = None) -> QuerySet[Organisation]:
    """Where this user has a role (this role, if one is named)."""
    held = Membership.objects.filter(during(at), user=user)
    if role is not None:
        held = held.filter(role=role)
    return Organisation.objects.filter(pk__in=held.values("organisation")).order_by("name")


def is_member(user: User, organisation: Organisation) -> bool:
    """Whether this user is of this organisation today, in whatever role."""
    return Membership.objects.filter(
        user=user, organisation=organisation, ended_at__isnull=True
    ).exists()


def works_at_any(user: User, organisations: Collection[int], at: datetime) -> bool:
    """Whether this user is of one of these organisations, in whatever role."""
    return Membership.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at), user=user, organisation__in=organisations
    ).exists()


def members(organisation: Organisation, at: datetime) -> QuerySet[Membership]:
    """Who has a role in this organisation."""
    return Membership.objects.filter(during(at), organisation=organisation).select_related("user")


def organisations() -> QuerySet[Organisation]:
    """All organisations: who takes part is public."""
    return Organisation.objects.order_by("name")


def current_key(organisation: Organisation) -> RecipientKey | None:
    """The key to which packages for this organisation are sealed today."""
    return RecipientKey.objects.filter(organisation=organisation, ended_at__isnull=True).first()


def tokens(organisation: Organisation) -> QuerySet[ApiToken]:
    """Every token ever issued for this organisation, the latest first."""
    return ApiToken.objects.filter(organisation=organisation).order_by("-created_at", "-pk")


def token(secret: str, at: datetime) -> ApiToken | None:
    """The token with this secret, if it still opens the door at this instant."""
    digest = sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    return (
        ApiToken.objects.select_related("user", "organisation")
        .filter(
            digest=digest,
            created_at__lte=at,
            expires_at__gt=at,
            revoked_at__isnull=True,
            user__is_active=True,
        )
        .first()
    )
