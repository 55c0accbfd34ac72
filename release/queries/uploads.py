"""Readings of uploads, for the stewards of what they were sent for."""

from django.db.models import QuerySet

from governance.models import Organisation, User
from governance.queries import clock, people
from governance.vocabulary import Role
from release import storage
from release.models import Upload
from release.vocabulary import UploadState


def visible_to(user: User, holder: Organisation) -> QuerySet[Upload]:
    """What was sent for this holder's datasets, for its stewards of today."""
    own = people.organisations_of(user, clock.now(), Role.STEWARD).filter(pk=holder.pk)
    return (
        Upload.objects.filter(dataset__holder__in=own)
        .select_related("dataset", "version", "sent_by")
        .defer("mapping")
        .order_by("-pk")
    )


def report(upload: Upload) -> bytes | None:
    """The report of refused rows, without a single value of theirs; None where there is none."""
    if not upload.report:
        return None
    try:
        return storage.store().open(upload.report)
    except FileNotFoundError:
        return None


def to_load() -> QuerySet[Upload]:
    """What waits to be loaded, oldest first: the table is the queue."""
    return Upload.objects.filter(state=UploadState.WAITING).order_by("received_at", "pk")
