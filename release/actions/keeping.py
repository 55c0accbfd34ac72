"""Keeping house: wiping what may not be kept, sweeping what a crash left behind."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from audit.vocabulary import Via
from governance.models import RecipientKey
from release.actions import handing, leases
from release.models import Beat, Lease, Release, ReleasePart
from release.rules import timing
from release.storage import store
from release.vocabulary import ReleaseState, VoidGround


def wipe(*, at: datetime) -> int:
    """Delete the sealed files of packages that are void or were not fetched in 72 hours.

    Called by the clock; gives how many packages were wiped. A package past its 72 hours is void at
    that second, whether or not this has run.
    """
    due = Release.objects.filter(
        Q(voided_at__isnull=False) | Q(answered_at__lte=at - timing.PACKAGE_LIFE),
        state=ReleaseState.PREPARED,
        wiped_at__isnull=True,
    ).select_related("purpose", "request__purpose", "asked_by")
    count = 0
    for release in due:
        if release.voided_at is None:
            with transaction.atomic():
                handing.void(
                    release=release, ground=VoidGround.UNFETCHED, by=None, at=at, via=Via.TASK
                )
        for name in release.parts.values_list("name", flat=True):
            store().delete(name)
        Release.objects.filter(pk=release.pk, wiped_at__isnull=True).update(wiped_at=at)
        count += 1
    return count


def remake(*, at: datetime) -> int:
    """Void what is sealed to a key that another has replaced; a new package waits in its place.

    Called by the clock; gives how many were voided. Nothing sealed to an ended key is handed over,
    whether or not this has run: it only spares the recipient the asking.
    """
    current = RecipientKey.objects.filter(organisation=OuterRef("recipient"), ended_at__isnull=True)
    due = Release.objects.filter(
        Exists(current),
        state=ReleaseState.PREPARED,
        voided_at__isnull=True,
        wiped_at__isnull=True,
        key__ended_at__isnull=False,
    ).select_related("purpose", "request__purpose", "asked_by")
    count = 0
    for release in due:
        with transaction.atomic():
            handing.void(release=release, ground=VoidGround.KEY, by=None, at=at, via=Via.TASK)
        count += 1
    return count


def sweep() -> int:
    """Delete sealed drafts that belong to no release: what a crash left. Gives how many.

    A draft of a release that somebody is preparing at present is left alone. A lease that has run
    out is ended first: whoever held it cannot commit what is swept here.
    """
    names = list(store().names("packages"))  # first: a file listed here had its lease before
    leases.end_dead()
    busy = set(Lease.objects.values_list("release__ref", flat=True))
    count = 0
    for name in names:
        ref = name.split("/")[1]
        if ref not in busy and not ReleasePart.objects.filter(name=name).exists():
            store().delete(name)
            count += 1
    return count


def beat(*, worker: str, at: datetime) -> None:
    """Note that this worker of the clock lives; at most once in five seconds."""
    if Beat.objects.filter(worker=worker, at__gt=at - timing.BEAT, at__lte=at).exists():
        return
    Beat.objects.update_or_create(worker=worker, defaults={"at": at})
    Beat.objects.filter(at__lt=at - timing.BEAT_FORGOTTEN).delete()
