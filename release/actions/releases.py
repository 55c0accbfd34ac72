"""Asking for a release, and answering those that wait."""

from datetime import datetime

from django.db import connection, transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from governance.actions import trail
from governance.models import AccessRequest, User
from governance.queries import clock
from governance.vocabulary import RequestState
from release.actions import preparing
from release.models import Lease, Release
from release.permissions import check_can_ask
from release.rules import timing
from release.vocabulary import ReleaseClass, ReleaseState


def ask(
    *, request: AccessRequest, by: User, at: datetime, via: Via, replaces: Release | None = None
) -> Release:
    """Ask for what a request was approved for: a waiting Release, at once.

    Raises NotPermitted unless `by` may ask in the requester's name; RuleBroken where the request
    was never approved. Whether anything may leave is decided when it is prepared.
    """
    check_can_ask(by, request.requester)
    if request.state not in {RequestState.APPROVED, RequestState.LAPSED, RequestState.ENDED}:
        raise RuleBroken("not_approved", _("This request has not been approved."))
    with transaction.atomic():
        return waiting(request=request, by=by, at=at, via=via, replaces=replaces)


def waiting(
    *, request: AccessRequest, by: User, at: datetime, via: Via, replaces: Release | None
) -> Release:
    """A release that waits for the clock, inside the caller's transaction."""
    release = Release.objects.create(
        release_class=ReleaseClass.DATASET,
        request=request,
        holder=request.dataset.holder,
        recipient=request.requester,
        purpose=request.purpose,
        asked_by=by,
        asked_at=at,
        replaces=replaces,
        format=request.format,
    )
    trail.record(
        type=EntryType.RELEASE_ASKED,
        by=by,
        at=at,
        via=via,
        resource=release.ref,
        purpose=request.purpose.code,
    )
    return release


@taking(worker=of(Lease, "worker"))
def run(*, release: Release, at: datetime, worker: str = "clock") -> Release:
    """Answer one waiting release, under a lease; called by the clock.

    Gives the release as it then is: prepared, refused, or still waiting where another worker has
    it. Raises NotReady where it cannot be answered now (memory, disk, log, keys, too many changes):
    it stays waiting and nothing has left. Raises RuntimeError inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A release is prepared outside any transaction.")
    if not _leased(release, worker, at):
        release.refresh_from_db()
        return release
    try:
        for _ in range(timing.LONGEST_RESTARTS + 1):
            current = _fresh(release)
            if current.state != ReleaseState.WAITING:
                return current  # another worker was faster: our lease had run out
            try:
                return preparing.answer(current, worker)
            except preparing.StartAgain:
                continue
        raise NotReady("too_many_changes", _("Too much changed while this was written. Ask again."))
    finally:
        Lease.objects.filter(release=release, worker=worker).delete()


def _fresh(release: Release) -> Release:
    return Release.objects.select_related(
        "request__dataset",
        "request__agreement",
        "request__requester",
        "holder",
        "recipient",
        "purpose",
        "asked_by",
    ).get(pk=release.pk)


def _leased(release: Release, worker: str, at: datetime) -> bool:
    with transaction.atomic():
        current = Release.objects.select_for_update().get(pk=release.pk)
        if current.state != ReleaseState.WAITING:
            return False
        now = clock.now()
        lease, made = Lease.objects.select_for_update().get_or_create(
            release=current, defaults={"worker": worker, "until": now + timing.LEASE}
        )
        if made:
            return True
        if lease.until > now:
            return False
        lease.worker, lease.until = worker, now + timing.LEASE
        lease.attempts += 1
        lease.save()
        return True
