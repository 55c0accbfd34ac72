"""Readings of where somebody is signed in, and of the codes that a survivor keeps on paper."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from common import codes
from governance.models import PaperCode, Sitting, User
from governance.vocabulary import PaperUse, UserKind

KEY = "sitting"
"""Under which name a session keeps the reference of its sitting."""
BEHIND = timedelta(minutes=1)
"""How far behind a sitting's last sight may be (`sittings.SEEN_EVERY`)."""


def lasting(at: datetime) -> Q:
    """Which sittings are not over by themselves at this instant: neither idle nor too long."""
    idle = timedelta(seconds=settings.SESSION_COOKIE_AGE) + BEHIND
    longest = timedelta(hours=settings.SESSION_HOURS)
    return Q(seen_at__gt=at - idle, began_at__gt=at - longest)


def of(user: User, at: datetime) -> QuerySet[Sitting]:
    """Where somebody is signed in, the latest seen first."""
    return Sitting.objects.filter(lasting(at), user=user).order_by("-seen_at", "-pk")


def sitting(ref: str, user: User, at: datetime) -> Sitting | None:
    """The one with this reference, where it is this user's and lasts."""
    longest = timedelta(hours=settings.SESSION_HOURS)
    return Sitting.objects.filter(ref=ref, user=user, began_at__gt=at - longest).first()


def paper(code: str, use: PaperUse) -> PaperCode | None:
    """The code of this use that has not been used, of an account that has not ended."""
    return (
        PaperCode.objects.select_related("user")
        .filter(
            digest=codes.digest(code, use),
            use=use,
            used_at__isnull=True,
            user__kind=UserKind.SURVIVOR,
            user__ended_at__isnull=True,
            user__is_active=True,
        )
        .first()
    )


def papers_left(user: User) -> int:
    """How many of her codes still get her back in."""
    held = PaperCode.objects.filter(user=user, use=PaperUse.BACK_IN, used_at__isnull=True)
    return held.count()
