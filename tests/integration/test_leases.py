"""One release is in one worker's hands: kept by heartbeats, lost for good once it has run out."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotReady
from governance.queries import clock
from release.actions import answers, keeping, leases, preparing, releases
from release.models import Lease, Release, ReleasePart
from release.queries.releases import alive, free
from release.rules import timing
from release.storage import store
from release.vocabulary import ReleaseState
from tests.gate import before
from tests.sheets import numbers
from tests.worlds import World, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 4
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1, part_rows=2) as found:
        yield found


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(timing, "LEASE", 2 * SECOND)
    monkeypatch.setattr(timing, "HEARTBEAT", SECOND / 5)


def answered(release: Release) -> int:
    """How many entries say what became of it."""
    kinds = [EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED]
    return Entry.objects.filter(resource=release.ref, type__in=kinds).count()


def run_out(release: Release) -> None:
    assert Lease.objects.filter(release=release).update(until=clock.now() - SECOND)


def whole(world: World, release: Release) -> bool:
    keeping.sweep()
    release.refresh_from_db()
    lying = set(store().names(f"packages/{release.ref}"))
    known = set(ReleasePart.objects.filter(release=release).values_list("name", flat=True))
    return lying == known and world.received(release) == set(numbers(PEOPLE))


def test_a_slow_worker_keeps_its_release_by_heartbeats(world, quick, monkeypatch):
    waiting = world.ask()
    others = []

    def meanwhile() -> None:
        time.sleep(3)  # longer than a lease
        others.append(world.run(waiting, worker="another").state)
        others.append(free().filter(pk=waiting.pk).exists())

    before(monkeypatch, preparing, "_commit", meanwhile)
    assert world.run(waiting, worker="slow").state == ReleaseState.PREPARED
    assert others == [ReleaseState.WAITING, False]
    assert answered(waiting) == 1
    assert not Lease.objects.exists()


def test_a_worker_without_heartbeats_loses_its_release_and_commits_nothing(
    world, quick, monkeypatch
):
    waiting = world.ask()
    monkeypatch.setattr(leases, "_renewed", lambda *_: False)

    def meanwhile() -> None:
        time.sleep(2.2)
        assert world.run(waiting, worker="another").state == ReleaseState.PREPARED

    before(monkeypatch, preparing, "_commit", meanwhile)
    assert world.run(waiting, worker="slow").state == ReleaseState.PREPARED
    assert answered(waiting) == 1
    assert whole(world, waiting)


def test_a_lease_that_has_run_out_is_lost_even_where_nobody_took_it(world, monkeypatch):
    waiting = world.ask()
    before(monkeypatch, preparing, "_commit", lambda: run_out(waiting))
    with pytest.raises(NotReady) as refusal:
        world.run(waiting)
    assert refusal.value.code == "lease_lost"
    assert answered(waiting) == 0
    assert not list(store().names(f"packages/{waiting.ref}"))
    assert world.run(waiting).state == ReleaseState.PREPARED
    assert whole(world, waiting)


def test_what_was_swept_as_a_dead_ones_is_never_committed(world, monkeypatch):
    waiting = world.ask()

    def meanwhile() -> None:
        run_out(waiting)
        assert keeping.sweep() > 0

    before(monkeypatch, preparing, "_commit", meanwhile)
    with pytest.raises(NotReady):
        world.run(waiting)
    assert world.run(waiting).state == ReleaseState.PREPARED
    assert whole(world, waiting)


@pytest.mark.postgresql_only
def test_a_sweep_leaves_alone_what_a_commit_holds(world, monkeypatch):
    """The lease runs out between the commit's look at it and the commit itself."""
    waiting = world.ask()
    swept = []

    def meanwhile() -> None:
        monkeypatch.setattr("release.actions.leases.queries.alive", lambda *_: False)
        other = threading.Thread(target=sweep)
        other.start()
        other.join(20)  # it must not wait for the commit

    def sweep() -> None:
        swept.append(keeping.sweep())
        connection.close()

    before(monkeypatch, answers, "record", meanwhile)
    assert world.run(waiting).state == ReleaseState.PREPARED
    assert swept == [0]
    monkeypatch.undo()
    assert whole(world, waiting)


def test_a_commit_whose_end_is_not_known_throws_nothing_away(world, monkeypatch):
    waiting = world.ask()
    real = preparing._commit

    def cut(*given: object) -> Release:
        real(*given)
        raise OperationalError("the connection was cut")

    monkeypatch.setattr(preparing, "_commit", cut)
    with pytest.raises(OperationalError):
        world.run(waiting)
    monkeypatch.undo()
    assert whole(world, waiting)
    assert answered(waiting) == 1


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(world):
    waiting = world.ask()
    until = clock.now() + timedelta(hours=1)
    lease = Lease.objects.create(release=waiting, worker="dead", until=until)
    assert not alive(lease, clock.now())
    assert free().filter(pk=waiting.pk).exists()
    assert world.run(waiting).state == ReleaseState.PREPARED
    assert answered(waiting) == 1


def test_one_lease_is_one_workers(world):
    """Also where both had seen that the release was free."""
    waiting = world.ask()
    assert leases.take(release=waiting, worker="first")
    assert not leases.take(release=waiting, worker="second")
    assert Lease.objects.get(release=waiting).worker == "first"
    run_out(waiting)
    assert leases.take(release=waiting, worker="second")
    assert Lease.objects.get(release=waiting).attempts == 2
    Lease.objects.all().delete()


def test_a_release_in_other_hands_takes_no_seat(world, monkeypatch):
    waiting = world.ask()
    Lease.objects.create(release=waiting, worker="another", until=clock.now() + timing.LEASE)
    monkeypatch.setattr(releases, "seat", None)  # it would be called
    assert world.run(waiting).state == ReleaseState.WAITING
    monkeypatch.undo()
    Lease.objects.all().delete()
    assert world.run(waiting).state == ReleaseState.PREPARED
    monkeypatch.setattr(releases, "seat", None)
    assert world.run(waiting).state == ReleaseState.PREPARED
    assert answered(waiting) == 1


@pytest.mark.django_db
def test_a_lease_lasts_for_several_heartbeats_and_less_than_words_stay_out(settings):
    assert timing.LEASE >= 3 * timing.HEARTBEAT
    out = settings.CELERY["broker_transport_options"]["visibility_timeout"]
    assert out > timing.LEASE.total_seconds()
