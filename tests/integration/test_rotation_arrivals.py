"""Files that wait to be loaded while the holder's age identity is rotated: none is left behind."""

import pytest
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotReady
from consent.queries import keys
from release import tasks
from release.actions import receiving, resealing, uploads, versions
from release.actions.loading.arrivals import Arrival
from release.models import Upload
from release.storage import store, unseal
from release.vocabulary import UploadState
from tests.gate import before
from tests.sheets import MAPPING, numbers, rows
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(2, each=1, part_rows=2)


def arriving(world: World, clients: list[str]) -> Arrival:
    arrival = receiving.begin(dataset=world.home.dataset, **hand(world.home.steward))
    arrival.write("\n".join(rows(clients)).encode() + b"\n")
    return arrival


def received(world: World, arrival: Arrival) -> Upload:
    about, helped = (category.code for category in world.categories)
    mapping = MAPPING.format(about=about, helped=helped, columns='"client", "other"')
    return receiving.receive(
        dataset=world.home.dataset,
        arrival=arrival,
        sha256=arrival.finish(),
        mapping=mapping.encode(),
        **hand(world.home.steward),
    )


def sent(world: World, clients: list[str]) -> Upload:
    return received(world, arriving(world, clients))


def rotate(world: World) -> None:
    resealing.renew_identity(organisation=world.home.organisation, **hand(world.home.warden))


def loaded(world: World, upload: Upload) -> Upload:
    done = uploads.run(upload=upload, at=timezone.now())
    assert done.state == UploadState.LOADED
    return done


def test_a_file_that_waits_is_sealed_to_the_new_identity_and_loaded(world):
    waiting = sent(world, numbers(2))
    former = keys.ring().identity(world.home.organisation.ref)
    rotate(world)
    for name in store().names(waiting.folder):
        with pytest.raises(NotReady):
            unseal(store().open(name), former)
    rotate(world)
    loaded(world, waiting)
    assert world.received(world.prepare()) == set(numbers(2))


def test_a_file_that_is_loaded_while_the_identity_is_rotated_is_loaded_at_the_next_try(world):
    waiting = sent(world, numbers(2))
    with pytest.MonkeyPatch.context() as patch:
        before(patch, versions._Load, "_commit", lambda: rotate(world))
        with pytest.raises(NotReady) as refusal:
            loaded(world, waiting)
    assert refusal.value.code == "key_rotated"
    assert tasks.load_uploads(timezone.now()) == 1
    waiting.refresh_from_db()
    assert waiting.state == UploadState.LOADED


def test_a_file_that_waits_is_loaded_while_a_rotation_is_not_finished(world):
    waiting = sent(world, numbers(2))
    keys.ring().begin_identity(world.home.organisation.ref)
    loaded(world, waiting)
    another = sent(world, numbers(1))
    rotate(world)
    loaded(world, another)


def test_a_file_that_comes_while_the_identity_is_rotated_is_sent_again(world):
    arrival = arriving(world, numbers(2))
    rotate(world)
    with pytest.raises(NotReady) as refusal:
        received(world, arrival)
    assert refusal.value.code == "key_rotated"
    assert not Upload.objects.exists()


def test_a_rotation_that_broke_off_between_two_files_goes_on(world):
    waiting = [sent(world, numbers(each)) for each in (1, 2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resealing, "_write_entry", broken)
        with pytest.raises(NotReady):
            rotate(world)
    assert len(keys.ring().identities(world.home.organisation.ref)) == 2
    rotate(world)
    for upload in waiting:
        loaded(world, upload)


def broken(*_given, **_named) -> None:
    raise NotReady("storage_unwritable", "The data folder cannot take this now.")


@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_no_key_opens_is_refused_and_its_sender_is_told(world, gone):
    lost = sent(world, numbers(2))
    (name,) = store().names(lost.folder)
    if gone:
        store().delete(name)
    else:
        store().put(name, b"other")
    rotate(world)
    lost.refresh_from_db()
    assert (lost.state, lost.code) == (UploadState.REFUSED, "not_opened")
    assert "Send it again" in lost.told
    entry = Entry.objects.get(type=EntryType.DATASET_REJECTED)
    assert (entry.resource, entry.reason) == (world.home.dataset.ref, "not_opened")


def test_a_file_that_was_loaded_meanwhile_is_not_refused(world):
    waiting = sent(world, numbers(2))
    with pytest.MonkeyPatch.context() as patch:
        before(patch, resealing, "_arrival_sealed_anew", lambda: loaded(world, waiting))
        rotate(world)
    waiting.refresh_from_db()
    assert waiting.state == UploadState.LOADED
    assert not Entry.objects.filter(type=EntryType.DATASET_REJECTED).exists()
