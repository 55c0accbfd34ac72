"""Readings of releases for the doors and the clock."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.models import AccessRequest, User
from governance.queries import boards, clock, people
from governance.vocabulary import Role
from release.models import Lease, Release
from release.rules import timing
from release.vocabulary import ReleaseState


def visible_to(user: User) -> QuerySet[Release]:
    """The releases that this user's organisations asked for, newest first."""
    own = people.organisations_of(user, clock.now(), Role.REQUESTER)
    return (
        Release.objects.filter(recipient__in=own)
        .select_related(
            "request__dataset__holder",
            "request__agreement",
            "request__requester",
            "holder",
            "recipient",
            "purpose",
            "version",
            "key",
            "asked_by",
            "entry",
        )
        .order_by("-asked_at", "-pk")
    )


def fetchable(user: User, at: datetime) -> list[Release]:
    """Of these, the packages that may still be fetched, as far as their own time goes; the gate asks
    everything again when somebody fetches one."""
    waits = visible_to(user).filter(state=ReleaseState.PREPARED, voided_at__isnull=True)
    recent = waits.filter(answered_at__gt=at - timing.PACKAGE_LIFE)
    return [each for each in recent if fetch_until(each) > at]


def fetch_until(release: Release) -> datetime:
    """When a package is over by itself: its 72 hours, or the first end of what is inside."""
    life = (release.answered_at or release.asked_at) + timing.PACKAGE_LIFE
    return min(life, release.good_until) if release.good_until else life


def held_by(user: User) -> QuerySet[Release]:
    """The releases from datasets that this user's organisations hold, for their stewards."""
    own = people.organisations_of(user, clock.now(), Role.STEWARD)
    return (
        Release.objects.filter(holder__in=own)
        .select_related("request__dataset", "recipient", "purpose", "version", "entry")
        .order_by("-asked_at", "-pk")
    )


def overseen_by(user: User) -> QuerySet[Release]:
    """The releases that came of what this user's boards decide about."""
    sits = boards.seats_of(user, clock.now()).values("board")
    return (
        Release.objects.filter(request__dataset__board__in=sits)
        .select_related("request__dataset", "holder", "recipient", "purpose", "version", "entry")
        .order_by("-asked_at", "-pk")
    )


def of_request(request: AccessRequest) -> QuerySet[Release]:
    """Every answer to one request, newest first."""
    return Release.objects.filter(request=request).order_by("-asked_at", "-pk")


def to_run() -> QuerySet[Release]:
    """What waits to be prepared, oldest first: the table is the queue."""
    return Release.objects.filter(state=ReleaseState.WAITING).order_by("asked_at", "pk")


def free() -> QuerySet[Release]:
    """What waits and nobody is at, oldest first."""
    leases = Lease.objects.filter(holds(clock.now()), release=OuterRef("pk"))
    return to_run().filter(~Exists(leases))


def holds(now: datetime) -> Q:
    """Of a lease, that it holds. One that ends later than any can was given before the clock was
    set back: it does not hold, or a dead worker's would for as long as the clock went back."""
    return Q(until__gt=now, until__lte=now + timing.LEASE)


def alive(lease: Lease, now: datetime) -> bool:
    """The same of one lease at hand."""
    return now < lease.until <= now + timing.LEASE
