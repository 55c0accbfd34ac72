"""Keeping house: what may not be kept goes, what is needed stays, and no promise waits for it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import Void
from governance.queries import clock
from release.actions import keeping
from release.models import Lease, Release, StoredPart
from release.queries import standing
from release.rules import timing
from release.storage import store
from release.tasks import tick
from release.vocabulary import DownloadPart, ReleaseState, VoidGround
from tests.gate import Later
from tests.worlds import small_world

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    """Other tests' packages lie in the common store without their releases: here nobody else's."""
    settings.SAYSO_DATA = tmp_path


def there(release):
    """Whether each sealed file of the package lies in the store."""
    return [store().exists(part.name) for part in release.parts.all()]


def entries(kind, release):
    return Entry.objects.filter(type=kind, resource=release.ref).count()


def test_a_package_is_kept_until_its_72_hours_are_over_and_not_a_second_longer():
    world = small_world(2)
    release = world.prepare()
    over = release.answered_at + timing.PACKAGE_LIFE
    assert keeping.wipe(at=over - SECOND) == 0
    assert there(release) == [True]
    assert keeping.wipe(at=over) == 1
    assert there(release) == [False]
    release.refresh_from_db()
    assert (release.void_ground, release.voided_at) == (VoidGround.UNFETCHED, over)
    assert release.wiped_at == over
    assert entries(EntryType.RELEASE_VOIDED, release) == 1
    with pytest.raises(Void):
        world.fetch(release)


def test_the_files_of_a_void_package_go_at_the_next_round():
    world = small_world(2)
    release, other = world.prepare(), world.prepare()
    world.no("c-1")
    with pytest.raises(Void):
        world.fetch(release)
    assert there(release) == [True]
    assert keeping.wipe(at=clock.now()) == 1  # the other one is void, but nobody has asked yet
    assert there(release) == [False]
    assert there(other) == [True]
    release.refresh_from_db()
    assert release.void_ground == VoidGround.PERSON_SAID_NO
    assert entries(EntryType.RELEASE_VOIDED, release) == 1


def test_wiping_twice_does_nothing_the_second_time():
    release = small_world(1).prepare()
    over = release.answered_at + timing.PACKAGE_LIFE
    assert keeping.wipe(at=over) == 1
    wiped = Release.objects.get(pk=release.pk).wiped_at
    assert keeping.wipe(at=over + SECOND) == 0
    assert Release.objects.get(pk=release.pk).wiped_at == wiped
    assert entries(EntryType.RELEASE_VOIDED, release) == 1


def test_what_waits_or_was_refused_is_not_wiped():
    world = small_world(1, yes=[])
    refused, waiting = world.prepare(), world.ask()
    assert refused.state == ReleaseState.REFUSED
    assert keeping.wipe(at=clock.now() + 2 * timing.PACKAGE_LIFE) == 0
    for release in (refused, waiting):
        release.refresh_from_db()
        assert (release.voided_at, release.wiped_at) == (None, None)


def test_after_72_hours_a_package_is_void_though_no_clock_has_run(monkeypatch):
    world = small_world(1)
    release = world.prepare()
    later = Later(monkeypatch)
    assert standing.void_ground(release, release.answered_at + timing.PACKAGE_LIFE - SECOND) is None
    over = release.answered_at + timing.PACKAGE_LIFE
    assert standing.void_ground(release, over) == VoidGround.UNFETCHED
    later.pass_(hours=72)
    for part in (DownloadPart.PACKAGE, DownloadPart.MANIFEST):
        with pytest.raises(Void) as refusal:
            world.hand_over(release, part)
        assert refusal.value.code == VoidGround.UNFETCHED
    assert not release.downloads.exists()
    assert there(release) == [True]  # nothing has wiped it; it is out of reach all the same


def test_a_draft_that_a_crash_left_is_swept_and_packages_stay():
    world = small_world(2)
    release = world.prepare()
    dead = world.ask()
    store().put(f"packages/{dead.ref}/left-1.age", b"sealed")
    store().put(f"packages/{release.ref}/replaced-1.age", b"sealed")
    assert keeping.sweep() == 2
    assert not store().exists(f"packages/{dead.ref}/left-1.age")
    assert there(release) == [True]
    assert world.received(release) == {"c-1", "c-2"}
    assert keeping.sweep() == 0


def test_a_draft_of_a_release_that_somebody_prepares_is_left_alone_until_the_lease_ends(
    monkeypatch,
):
    monkeypatch.setattr(timing, "LEASE", timedelta(minutes=1))
    world = small_world(1)
    release = world.ask()
    name = f"packages/{release.ref}/draft-1.age"
    store().put(name, b"sealed")
    lease = Lease.objects.create(
        release=release, worker="another", until=clock.now() + timing.LEASE
    )
    assert keeping.sweep() == 0
    assert store().exists(name)
    lease.until = clock.now() - SECOND
    lease.save()
    assert keeping.sweep() == 1
    assert not store().exists(name)


def test_sealed_parts_of_datasets_are_never_swept():
    world = small_world(1)
    kept = list(StoredPart.objects.values_list("name", flat=True))
    assert kept
    store().put("packages/rel-nobody/left-1.age", b"sealed")
    assert keeping.sweep() == 1
    assert all(store().exists(name) for name in kept)
    assert world.prepare().state == ReleaseState.PREPARED


def test_one_round_of_work_answers_what_waits_and_signs_it():
    world = small_world(2, yes=["c-1"])
    release = world.ask()
    call_command("work", once=True)
    release.refresh_from_db()
    assert release.state == ReleaseState.PREPARED
    assert not Entry.objects.filter(seq=None).exists()
    assert world.received(release) == {"c-1"}


def test_work_sweeps_and_wipes_too():
    world = small_world(1)
    release = world.prepare()
    store().put("packages/rel-nobody/left-1.age", b"sealed")
    world.no("c-1")
    with pytest.raises(Void):
        world.fetch(release)
    call_command("work", once=True)
    assert list(store().names("packages")) == []


def test_the_clock_may_strike_twice():
    world = small_world(2)
    release = world.ask()
    now = timezone.now()
    assert tick(now) > 0
    release.refresh_from_db()
    before = (release.answered_at, there(release), Entry.objects.count())
    assert tick(now) == 0
    release.refresh_from_db()
    assert (release.answered_at, there(release), Entry.objects.count()) == before
    assert entries(EntryType.DATASET_RELEASED, release) == 1
    assert there(release) == [True]


def test_two_workers_do_not_answer_one_release_both(monkeypatch):
    monkeypatch.setattr(timing, "LEASE", timedelta(minutes=1))
    world = small_world(1)
    release = world.ask()
    Lease.objects.create(release=release, worker="another", until=clock.now() + timing.LEASE)
    assert world.run(release).state == ReleaseState.WAITING
    tick(timezone.now())
    release.refresh_from_db()
    assert release.state == ReleaseState.WAITING
    Lease.objects.filter(release=release).update(until=clock.now() - SECOND)
    tick(timezone.now())
    release.refresh_from_db()
    assert release.state == ReleaseState.PREPARED
    assert not Lease.objects.exists()
