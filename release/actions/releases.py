"""Asking for a release, and answering those that wait."""

from datetime import datetime

from django.conf import settings
from django.db import connection

from common.errors import NotReady
from common.inputs import of, taking
from common.words import sentence as _
from release.actions import gate, leases, preparing
from release.actions.asking import ask, waiting
from release.engine.seats import seat
from release.models import Lease, Release
from release.queries import releases as queries
from release.rules import timing
from release.vocabulary import ReleaseState

__all__ = ["ask", "run", "waiting"]

SEATS = "seats"  # the folder of the lines in which releases wait to be written


@taking(worker=of(Lease, "worker"))
def run(*, release: Release, at: datetime, worker: str = "clock") -> Release:
    """Answer one waiting release, under a lease; called by the clock. Twice is once.

    Gives the release as it then is: prepared, refused, or still waiting where another worker has
    it. Raises NotReady where it cannot be answered now (memory, disk, log, keys, too many changes):
    it stays waiting and nothing has left. Raises RuntimeError inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A release is prepared outside any transaction.")
    if not queries.free().filter(pk=release.pk).exists():
        release.refresh_from_db()  # answered, or in other hands: no seat is taken for it
        return release
    gate.check_open()
    with seat(settings.SAYSO_DATA / SEATS, settings.ENGINE_SEATS):
        return _run(release, worker)


def _run(release: Release, worker: str) -> Release:
    if not leases.take(release=release, worker=worker):
        release.refresh_from_db()
        return release
    with leases.kept(release=release, worker=worker):
        for attempt in range(timing.LONGEST_RESTARTS + 1):
            current = _fresh(release)
            if current.state != ReleaseState.WAITING:
                return current  # another worker was faster: our lease had run out
            try:
                return preparing.answer(current, worker, attempt)
            except preparing.StartAgain:
                continue
            except leases.Lost as lost:
                raise NotReady("lease_lost", _("This took too long; it is begun anew.")) from lost
        raise NotReady("too_many_changes", _("Too much changed while this was written. Ask again."))


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
