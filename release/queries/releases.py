"""Readings of releases for the doors."""

from django.db.models import QuerySet

from governance.models import AccessRequest, User
from governance.queries import boards, clock, people
from governance.vocabulary import Role
from release.models import Release
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
