"""Asking for a release, and answering those that wait."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from common.errors import NotReady
from governance.queries import clock
from release.actions import preparing
from release.actions.asking import ask, waiting
from release.engine.seats import seat
from release.models import Lease, Release
from release.rules import timing
from release.vocabulary import ReleaseState

__all__ = ["ask", "run", "waiting"]

SEATS = "seats"  # the folder of the lines in which releases wait to be written


def run(*, release: Release, at: datetime, worker: str = "clock") -> Release:
    """Answer one waiting release, under a lease; called by the clock.

    Gives the release as it then is: prepared, refused, or still waiting where another worker has
    it. Raises NotReady where it cannot be answered now (memory, disk, log, keys, too many changes):
    it stays waiting and nothing has left. Raises RuntimeError inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A release is prepared outside any transaction.")
    with seat(settings.SAYSO_DATA / SEATS, settings.ENGINE_SEATS):
        return _run(release, at, worker)


def _run(release: Release, at: datetime, worker: str) -> Release:
    if not _leased(release, worker, at):
        release.refresh_from_db()
        return release
    try:
        for attempt in range(timing.LONGEST_RESTARTS + 1):
            current = _fresh(release)
            if current.state != ReleaseState.WAITING:
                return current  # another worker was faster: our lease had run out
            try:
                return preparing.answer(current, worker, attempt)
            except preparing.StartAgain:
                continue
        raise NotReady("too_many_changes", "Too much changed while this was written. Ask again.")
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
