"""Shredding broken off anywhere, and after a restore: nobody comes back, and nobody goes by mistake."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from consent.actions import shredding, stops, subjects, wiping
from consent.actions.replaying import replay
from consent.actions.subjects import client_digest, digest_key
from consent.models import LegalHold, Shredding, SubjectKey
from governance.actions import filing, scopes
from governance.models import KeptNo
from governance.queries import noes
from governance.queries.scopes import epochs
from release.actions import backups
from release.actions.shredding import carry_out_due
from release.tasks import tick
from tests.backups import backups_can_be_made, restored  # noqa: F401 - a fixture
from tests.shredding import HER, due, hold, looked, shred, verify
from tests.worlds import World, hand, small_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("backups_can_be_made"),
]
LONG = timedelta(days=400)


@pytest.fixture
def world() -> World:
    return small_world(3, each=1)


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Callable[[], Callable[[], object]]:
    """Makes a backup now; gives what restores it."""

    def make() -> Callable[[], object]:
        folder = tmp_path / "copy"
        backups.make(folder=folder, **hand(world.chair))
        return lambda: restored(folder)

    return make


def numbers_of(world: World, number: str = HER) -> Any:
    holder = world.home.organisation
    digest = client_digest(digest_key(holder), number)
    return SubjectKey.objects.filter(holder=holder, digest=digest)


def test_a_restore_does_not_bring_her_back(world, copy):
    subject = world.subject(HER)
    back = copy()
    shred(world)
    back()
    assert numbers_of(world).exists()  # the older copy knows her
    assert noes.against().code == "restored"
    assert carry_out_due(at=timezone.now() + LONG) == 0
    said = replay(**hand(world.chair))
    assert (said.said, said.by_hand) == (1, ())
    assert not numbers_of(world).exists()
    subject.refresh_from_db()
    assert (bytes(subject.wrapped_key), subject.account_id) == (b"", None)
    assert HER not in world.received(world.prepare())
    assert looked()[0] == []
    verify()


@pytest.mark.parametrize("cleaned", [True, False])
def test_whoever_came_and_was_shredded_after_the_copy_is_not_enrolled_again(world, copy, cleaned):
    back, number = copy(), "c-77"
    digest = client_digest(digest_key(world.home.organisation), number)
    given = {"holder": world.home.organisation, **hand(world.home.steward)}
    subjects.enrol(digests=[digest], **given)
    who = hand(world.home.advocate)
    stops.record(holder=world.home.organisation, number=number, **who)
    due(world, number)
    assert carry_out_due(at=timezone.now()) == 1
    if cleaned:
        assert carry_out_due(at=timezone.now() + timedelta(minutes=2)) == 1
    back()
    replay(**hand(world.chair))
    assert noes.against() is None
    assert not numbers_of(world, number).exists()


@pytest.mark.parametrize("what", ["called off", "held"])
def test_what_kept_her_after_the_copy_keeps_her_after_the_restore(world, copy, what):
    waits = due(world)
    back = copy()
    if what == "called off":
        shredding.call_off(shredding=waits, **hand(world.home.advocate))
    else:
        hold(world)
    back()
    tick(timezone.now())
    assert numbers_of(world).exists()
    replay(**hand(world.chair))
    tick(timezone.now())
    assert numbers_of(world).exists()
    assert HER in world.received(world.prepare())
    if what == "called off":
        assert Shredding.objects.get().called_off_at
    else:
        assert LegalHold.objects.get().ground == "court_order"
    assert (replay(**hand(world.chair)).said, looked()[0]) == (0, [])
    verify()


@pytest.mark.parametrize("step", ["written", "_forget_in_noes"])
def test_broken_off_anywhere_nothing_has_happened_and_the_next_round_does_it(
    world, monkeypatch, step
):
    due(world)
    before, moved = Entry.objects.count(), epochs(world.recipient.pk)

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(wiping, step, broken)
        with pytest.raises(KeyboardInterrupt):
            carry_out_due(at=timezone.now())
    assert (Entry.objects.count(), epochs(world.recipient.pk)) == (before, moved)
    assert HER in world.received(world.prepare())
    tick(timezone.now())
    assert not numbers_of(world).exists()


def test_killed_before_the_file_of_noes_hears_of_it_nothing_leaves_until_it_does(
    world, monkeypatch
):
    due(world)
    with monkeypatch.context() as patch:
        patch.setattr(scopes.filing, "file", lambda kept: None)
        assert carry_out_due(at=timezone.now()) == 1
    assert noes.against().code == "noes_unwritable"
    filing.file_waiting()
    assert noes.against() is None
    assert Entry.objects.filter(type=EntryType.KEY_SHREDDED).count() == 1


def test_a_disk_that_does_not_take_the_file_is_asked_again_later(world, monkeypatch):
    world.no(HER)
    due(world)
    assert carry_out_due(at=timezone.now()) == 1
    soon = timezone.now() + timedelta(minutes=2)
    with monkeypatch.context() as patch:
        patch.setattr("governance.storage.os.fsync", lambda handle: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            filing.write_anew(Shredding.objects.get().subject_id)
    assert Shredding.objects.get().cleaned_at is None
    assert carry_out_due(at=soon) == 1
    assert Shredding.objects.get().cleaned_at == soon


@pytest.mark.parametrize("deed", ["call off", "hold"])
def test_whatever_comes_between_the_look_and_the_lock_counts(world, monkeypatch, deed):
    waits = due(world)
    real = scopes.narrowing

    def later(**given: Any) -> Any:
        if deed == "hold":
            hold(world)
        else:
            shredding.call_off(shredding=waits, **hand(world.home.warden))
        return real(**given)

    with monkeypatch.context() as patch:
        patch.setattr(shredding.scopes, "narrowing", later)
        assert carry_out_due(at=timezone.now()) == 0
    assert numbers_of(world).exists()
    assert not KeptNo.objects.filter(act="subject_shredded").exists()
