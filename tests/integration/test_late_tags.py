"""What is written while a key is away gets its tag when the key is back; a shredded person's tag is
left where the proofs of others go through it."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from consent.actions import consents, objections, shredding, tagging
from consent.models import ConsentEvent, LateTag, LeftTag, Shredding
from consent.queries import keys
from consent.queries import tags as tag_queries
from oversight.queries.replay import replay
from release.actions import recalls
from release.actions.shredding import carry_out_due
from release.queries import accounting, proofs
from release.tasks import tick
from release.vocabulary import Deed
from tests import checking
from tests.append_only import unguarded
from tests.gate import drained, part_of
from tests.integration.consent_world import build
from tests.integration.test_consent_import import bring, paper
from tests.shredding import HER, account, agree, ask, due, looked, shred
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(5, each=1, part_rows=3)


@contextmanager
def key_away(folder: Path) -> Iterator[None]:
    with override_settings(SAYSO_KEYS=folder / "none", DEMO=False):
        yield


def speaks(world: World, folder: Path, number: str = HER) -> None:
    """A pause, a stop and a standing no, while the key is away."""
    consent, by = world.consent(number), hand(world.home.advocate)
    with key_away(folder):
        consents.pause(consent=consent, **by)
        objections.make(subject=consent.subject, **by)
        consents.withdraw(consent=consent, **by)


def numbered() -> None:
    while sequence():
        pass


def listed(world: World, number: str = HER) -> tuple[set[tuple[Deed, int | None]], ...]:
    """Her list as it is kept, and as the log with her key gives it."""
    subject = world.subject(number)
    again = replay(subject, checking.own_key(subject))
    # The world began with her helper, as if it had been so for long: that has no entry.
    began = (Deed.AROUND, None)
    return (
        {(each.deed, each.entry) for each in accounting.uses_of(subject)} - {began},
        {(each.deed, each.entry) for each in again},
    )


def untagged(world: World, number: str = HER) -> int:
    """How many lines of her list the log does not give again with her key."""
    kept, again = listed(world, number)
    assert again <= kept
    return len(kept - again)


# --- late tags ------------------------------------------------------------------------------------


def test_what_was_said_while_the_key_was_away_is_in_her_list_proven_once_it_is_back(
    world, tmp_path
):
    her = account(world)
    speaks(world, tmp_path)
    said = LateTag.objects.count()
    assert said >= 3
    assert untagged(world) == said
    numbered()
    before = checking.tagged(checking.script_says(tmp_path, checking.list_of(her))[1])
    assert tick(timezone.now()) > 0
    kept, again = listed(world)
    assert kept == again
    assert all(entry is not None for _, entry in kept)
    numbered()
    text = checking.list_of(her)
    code, says = checking.script_says(tmp_path, text)
    assert code == 0, says
    assert checking.tagged(says) == before + said
    code, says = checking.script_says(tmp_path, text, key=proofs.own_keys(her))
    assert code == 0, says
    assert says.count("it was written while a key was away") == said
    assert looked() == ([], 0)


def test_one_later_entry_bears_all_their_tags_and_tells_nobody_which_is_whose(world, tmp_path):
    speaks(world, tmp_path, "c-1")
    speaks(world, tmp_path, "c-2")
    late = list(LateTag.objects.select_related("subject__holder", "entry"))
    assert tagging.catch_up(at=timezone.now()) == len(late)
    (later,) = Entry.objects.filter(type=EntryType.SUBJECT_TAGGED)
    assert (later.actor, later.via, later.subjects_band) == ("clock", "task", "2-10")
    assert later.resource == world.home.organisation.ref
    made = [keys.tag_of(row.subject, bytes(row.entry.nonce)) for row in late]
    assert bytes(later.subjects_root) == subjects_root(made)
    leaf = bytes(later.leaf)
    assert not any(each.hex().encode() in leaf for each in made)
    assert not any(bytes(row.entry.nonce).hex().encode() in leaf for row in late)


def test_while_the_key_is_still_away_they_go_on_waiting_and_twice_is_harmless(world, tmp_path):
    speaks(world, tmp_path)
    with key_away(tmp_path):
        assert tagging.catch_up(at=timezone.now()) == 0
    assert tagging.catch_up(at=timezone.now()) > 0
    assert tagging.catch_up(at=timezone.now()) == 0
    assert Entry.objects.filter(type=EntryType.SUBJECT_TAGGED).count() == 1


def test_broken_off_anywhere_it_goes_on_from_there(world, tmp_path, monkeypatch):
    speaks(world, tmp_path)
    waiting = LateTag.objects.count()
    monkeypatch.setattr(tagging, "MOST", 1)
    assert tagging.catch_up(at=timezone.now()) == 1
    with monkeypatch.context() as broken:
        broken.setattr(tagging.trail, "record", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tagging.catch_up(at=timezone.now())
    assert tag_queries.waiting().count() == waiting - 1
    while tagging.catch_up(at=timezone.now()):
        pass
    assert Entry.objects.filter(type=EntryType.SUBJECT_TAGGED).count() == waiting
    kept, again = listed(world)
    assert kept == again


def test_whoever_was_shredded_meanwhile_gets_no_tag_and_holds_up_nobody(world, tmp_path):
    due(world)
    speaks(world, tmp_path, "c-2")
    consent = world.consent(HER)
    with key_away(tmp_path):
        consents.pause(consent=consent, **hand(world.home.advocate))
        carry_out_due(at=timezone.now())
    assert Shredding.objects.get().shredded_at is not None
    assert (
        tagging.catch_up(at=timezone.now())
        == LateTag.objects.filter(subject=world.subject("c-2")).count()
    )
    assert tag_queries.waiting().count() == 0
    findings, _in_part = looked()
    assert findings == []


def test_a_late_tag_is_filled_once_and_never_goes(world, tmp_path):
    speaks(world, tmp_path)
    tagging.catch_up(at=timezone.now())
    row = LateTag.objects.order_by("pk").first()
    for deed in (
        lambda: LateTag.objects.filter(pk=row.pk).update(tagged=None),
        lambda: LateTag.objects.filter(pk=row.pk).update(entry=row.tagged_id),
        lambda: LateTag.objects.filter(pk=row.pk)._raw_delete(connection.alias),
    ):
        with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
            deed()


def test_a_later_entry_that_is_none_is_not_believed(world, tmp_path):
    her = account(world)
    speaks(world, tmp_path)
    tagging.catch_up(at=timezone.now())
    numbered()
    text = checking.list_of(her)
    assert checking.script_says(tmp_path, text)[0] == 0
    for old, new, code in (
        # Another entry in the later one's place; it says itself that it is older, or comes alone.
        (r"later \d+", "later 0", 1),
        (r"(?s)\nlater .*?\ntag [^\n]*\n", "\nlater 1\nleaf e30=\n", 2),
        (r"later \d+\n", "", 2),
        (r"later \d+", "later 999999", 2),
        (r"(later \d+\nleaf) [^\n]*", rf"\1 {base64.b64encode(b'{}').decode()}", 1),
    ):
        changed = re.sub(old, new, text, count=1)
        assert changed != text
        found, says = checking.script_says(tmp_path, changed)
        assert found == code, says


def test_the_steps_of_a_wiping_are_in_her_list_until_it_is_carried_out(world, tmp_path):
    her = account(world)
    asked = ask(world)
    with key_away(tmp_path):
        shredding.call_off(shredding=asked, **hand(her))
    agree(world, ask(world))
    tick(timezone.now())
    numbered()
    kept, again = listed(world)
    assert kept == again
    steps = [each for each in accounting.of(her) if each.deed == Deed.WIPING]
    assert [each.word for each in reversed(steps)] == [
        *("shredding:asked", "shredding:halted", "shredding:asked", "shredding:agreed"),
    ]
    text = checking.list_of(her)
    code, says = checking.script_says(tmp_path, text, key=proofs.own_keys(her))
    assert code == 0, says
    assert says.count("somebody asked to cut a record from its person") == 2
    assert "that was called off" in says
    assert "canary-heron" not in text  # why it was asked is sealed, and stays with who asked


# --- left tags ------------------------------------------------------------------------------------


def test_the_proofs_of_the_others_in_her_part_still_hold_after_she_is_shredded(world, tmp_path):
    release = world.prepare()
    drained(world.hand_over(release))
    hers = part_of(world, release, HER).number
    numbers = ["c-2", "c-3", "c-4", "c-5"]
    beside = next(each for each in numbers if part_of(world, release, each).number == hers)
    other = account(world, beside)
    numbered()
    before = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
    subject = shred(world)
    numbered()
    after = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
    assert (before[0], after[0]) == (0, 0)
    assert before[1].count("it is yours") == after[1].count("it is yours") == 2
    (left,) = LeftTag.objects.filter(entry=release.entry_id)
    assert left.subject == subject
    kept, again = listed(world, beside)
    assert kept == again
    findings, _in_part = looked()
    assert findings == []
    with unguarded():  # without what was left, they lose their way
        LeftTag.objects.all().delete()
        lost = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
        assert lost[1].count("it is yours") == 1


def test_whoever_is_asked_back_with_her_stays_proven(world, tmp_path):
    drained(world.hand_over(world.prepare()))
    world.no(HER)
    world.no("c-2")
    assert recalls.open_due(at=timezone.now()) > 0
    other = account(world, "c-2")
    numbered()
    before = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
    shred(world)
    numbered()
    after = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
    assert (before[0], after[0]) == (0, 0)
    assert before[1].count("it is yours") == after[1].count("it is yours")
    kept, again = listed(world, "c-2")
    assert kept == again
    assert Deed.RECALLED in {deed for deed, _ in kept}


def test_papers_that_were_imported_together_stay_proven_to_the_others():
    world = build()
    world.enrol("B-18")
    bring(world, paper(world), paper(world, number="B-18"))
    entry = Entry.objects.get(type=EntryType.CONSENT_IMPORTED)
    slots = sorted(
        ConsentEvent.objects.filter(entry=entry).values_list("consent__subject", flat=True)
    )
    nonce = bytes(entry.nonce)
    assert len(slots) == 2
    before = keys.tags_of(world.holder.ref, slots, nonce)
    subject = world.hers
    with transaction.atomic():
        tagging.leave(subject, [*tag_queries.shared_words(subject).items()])
        tagging.leave(subject, [*tag_queries.shared_words(subject).items()])
    assert LeftTag.objects.count() == 1
    with unguarded():
        type(subject).objects.filter(pk=subject.pk).update(
            wrapped_key=b"", account=None, shredded_at=timezone.now()
        )
        assert keys.tags_of(world.holder.ref, slots, nonce, entry=entry.pk) == before
        with pytest.raises(keys.KeyDestroyed):
            keys.tags_of(world.holder.ref, slots, nonce)


def test_who_is_beside_her_under_a_later_entry_stays_proven(world, tmp_path):
    speaks(world, tmp_path, HER)
    speaks(world, tmp_path, "c-2")
    tagging.catch_up(at=timezone.now())
    other = account(world, "c-2")
    shred(world)
    numbered()
    kept, again = listed(world, "c-2")
    assert kept == again
    code, says = checking.script_says(tmp_path, checking.list_of(other), key=proofs.own_keys(other))
    assert code == 0, says
    assert "it was written while a key was away" in says
    assert looked()[0] == []
