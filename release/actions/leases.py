"""Who prepares a release at present: a lease, kept alive by heartbeats, that the commit looks at.

A lease that has run out is lost for good: its holder can neither renew it nor commit under it, so
that whoever takes the release over, or sweeps the drafts, need not fear a hand that comes back late.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection, transaction

from governance.queries import clock
from release.models import Lease, Release
from release.queries import releases as queries
from release.rules import timing
from release.vocabulary import ReleaseState

log = logging.getLogger(__name__)


class Lost(Exception):
    """The lease has run out: somebody else may have the release, and nothing is committed."""


def take(*, release: Release, worker: str) -> bool:
    """Whether this worker now has the release; False where it is answered or another has it."""
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
        if queries.alive(lease, now):
            return False
        lease.worker, lease.until = worker, now + timing.LEASE
        lease.attempts += 1
        lease.save()
        return True


@contextmanager
def kept(*, release: Release, worker: str) -> Iterator[None]:
    """Inside, a thread of its own renews the lease; afterwards it is given back."""
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(release.pk, worker, over), daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        _give_back(release, worker)


def check(*, release: Release, worker: str) -> None:
    """Inside the committing transaction: raises Lost unless the lease still holds.

    The row stays locked until the commit, so that no sweep takes it for a dead one's meanwhile.
    """
    lease = Lease.objects.select_for_update().filter(release=release, worker=worker).first()
    if lease is None or not queries.alive(lease, clock.now()):
        raise Lost


def end_dead() -> int:
    """End the leases that have run out, but for those a commit holds at this moment."""
    with transaction.atomic():
        held = Lease.objects.select_for_update(skip_locked=True)
        dead = [lease.pk for lease in held if not queries.alive(lease, clock.now())]
        return Lease.objects.filter(pk__in=dead).delete()[0]


def _beat(release: int, worker: str, over: threading.Event) -> None:
    try:
        while not over.wait(timing.HEARTBEAT.total_seconds()):
            if not _renewed(release, worker):
                return
    finally:
        connection.close()  # the thread's own


def _renewed(release: int, worker: str) -> bool:
    """False where there is nothing to renew any more; a database that is away may come back."""
    try:
        now = clock.now()
        renewed = Lease.objects.filter(queries.holds(now), release=release, worker=worker).update(
            until=now + timing.LEASE
        )
        return bool(renewed)
    except (DatabaseError, InterfaceError):
        log.warning("a lease could not be renewed")
        connection.close()
        return True


def _give_back(release: Release, worker: str) -> None:
    for _ in range(2):  # a connection that was cut is made anew; the lease need not run out
        try:
            Lease.objects.filter(release=release, worker=worker).delete()
        except (DatabaseError, InterfaceError):
            connection.close()
        else:
            return
    log.warning("a lease could not be given back; it runs out by itself")
