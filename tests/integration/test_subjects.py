"""Enrolling people as one organisation knows them: slots, digests, keys, two at once."""

from collections import Counter

import pytest
from django.test import override_settings

from audit.models import Entry
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import NotReady
from common.keyring import KeyRing
from consent.actions import consents, imports, subjects
from consent.actions.subjects import BLOCK
from consent.models import Objection, SlotBlock, Subject, SubjectKey
from consent.queries import keys
from governance.models import Scope
from tests.factories import governance as made
from tests.integration.consent_world import (
    build,
    entries_after,
    her_tag,
    last_entry,
    nothing_happens,
    stamp,
)
from tests.integration.test_governance_races import at_once

pytestmark = pytest.mark.django_db


def digests(holder, count, first=0):
    key = subjects.digest_key(holder)
    return [subjects.client_digest(key, f"n-{number}") for number in range(first, first + count)]


def enrol(holder, wanted, by):
    return subjects.enrol(holder=holder, digests=wanted, **stamp(by))


def test_enrolling_again_changes_nothing_and_answers_the_same():
    holder, by = made.organisation(), made.user()
    wanted = digests(holder, 30)
    first = enrol(holder, wanted, by)
    before = (Subject.objects.count(), last_entry(), SlotBlock.objects.get().taken)
    assert enrol(holder, [*reversed(wanted), *wanted], by) == first
    assert (Subject.objects.count(), last_entry(), SlotBlock.objects.get().taken) == before
    assert before[0] == before[2] == 30


def test_only_the_new_ones_are_enrolled_and_the_entry_has_exactly_their_tags():
    holder, by = made.organisation(), made.user()
    known = enrol(holder, digests(holder, 5), by)
    last = last_entry()
    found = enrol(holder, [*digests(holder, 12), *digests(holder, 3)], by)
    assert known.items() <= found.items()
    assert len(set(found.values())) == len(found) == 12
    (entry,) = entries_after(last)
    assert (entry.type, entry.resource) == (EntryType.SUBJECT_ENROLLED, holder.ref)
    assert (entry.actor, entry.subjects_band) == (by.ref, "2-10")
    new = Subject.objects.filter(slot__in=set(found.values()) - set(known.values()))
    tags = [her_tag(subject, entry) for subject in new.select_related("holder")]
    assert len(tags) == 7
    assert bytes(entry.subjects_root) == subjects_root(tags)


def test_a_digest_leads_to_the_person_and_to_nobody_elsewhere():
    here, there, by = made.organisation(), made.organisation(), made.user()
    (mine,) = digests(here, 1)
    slots = enrol(here, [mine], by)
    assert subjects.find(here, [mine]) == slots
    assert subjects.find(there, [mine]) == {}
    again = enrol(there, [mine], by)  # even the same bytes are somebody else at another holder
    assert set(again.values()).isdisjoint(slots.values())


def test_slots_fill_blocks_of_8192_one_after_the_other_each_of_one_holder():
    here, there, by = made.organisation(), made.organisation(), made.user()
    found = set(enrol(here, digests(here, 5000), by).values())
    others = set(enrol(there, digests(there, 5000), by).values())
    found |= set(enrol(here, digests(here, 9000, first=5000), by).values())
    assert len(found) == 14_000
    assert found.isdisjoint(others)
    blocks = {block.pk: block for block in SlotBlock.objects.all()}
    for slots, holder, sizes in ((found, here, [8192, 5808]), (others, there, [5000])):
        per_block = Counter(slot // BLOCK for slot in slots)
        assert [count for _, count in sorted(per_block.items())] == sizes
        assert {blocks[number].holder for number in per_block} == {holder}
        assert [blocks[number].taken for number in sorted(per_block)] == sizes


def test_a_slot_tells_nothing_of_who_came_first():
    """200 slots in a block of 8,192: neither in order nor neighbours, save once in 10^300 times."""
    holder, by = made.organisation(), made.user()
    wanted = digests(holder, 200)
    found = enrol(holder, wanted, by)
    in_order = [found[digest] for digest in wanted]
    assert in_order != sorted(in_order)
    assert max(in_order) - min(in_order) > 200
    again = made.organisation()
    others = enrol(again, digests(again, 200), by)
    places = [others[digest] % BLOCK for digest in digests(again, 200)]
    assert places != [slot % BLOCK for slot in in_order]


# --- two at once ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_enrolments_of_the_same_people_at_once_make_each_of_them_once():
    holder, by = made.organisation(), made.user()
    for turn in range(4):
        wanted = digests(holder, 300, first=turn * 200)  # 200 new ones, 100 known
        found = []
        outcomes = at_once(
            lambda wanted=wanted, found=found: found.append(enrol(holder, wanted, by)),
            lambda wanted=wanted, found=found: found.append(enrol(holder, wanted[::-1], by)),
        )
        assert outcomes == ["done", "done"]
        assert found[0] == found[1]
    assert Subject.objects.count() == SubjectKey.objects.count() == 900
    assert sum(SlotBlock.objects.values_list("taken", flat=True)) == 900
    assert Entry.objects.filter(type=EntryType.SUBJECT_ENROLLED).count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_holders_enrolling_at_once_share_no_slot():
    by = made.user()
    holders = [made.organisation(), made.organisation()]
    wanted = {holder.pk: digests(holder, 400) for holder in holders}
    deeds = [lambda holder=holder: enrol(holder, wanted[holder.pk], by) for holder in holders]
    assert at_once(*deeds) == ["done", "done"]
    slots = [
        {slot // BLOCK for slot in subjects.find(holder, wanted[holder.pk]).values()}
        for holder in holders
    ]
    assert [len(blocks) for blocks in slots] == [1, 1]
    assert slots[0] != slots[1]


# --- keys -----------------------------------------------------------------------------------------


def test_a_digest_is_nothing_without_the_holders_key():
    here, there = made.organisation(), made.organisation()
    own, other = subjects.digest_key(here), subjects.digest_key(there)
    assert own != other
    assert subjects.client_digest(own, "A-17") != subjects.client_digest(other, "A-17")
    assert subjects.client_digest(own, "A-17") == subjects.client_digest(own, " A-17\n")
    scoped = subjects.client_digest(own, "17", "row:dst-1")
    assert scoped not in {
        subjects.client_digest(own, "17"),
        subjects.client_digest(own, "17", "row:dst-2"),
    }
    assert keys.ring().derived(here.ref, "subject-wrap") != own


def test_the_database_keeps_no_number_and_no_open_key():
    world = build()
    rows = [*SubjectKey.objects.values_list("digest", flat=True)]
    rows += Subject.objects.values_list("wrapped_key", flat=True)
    opened = keys.unwrap(world.holder.ref, [bytes(world.hers.wrapped_key)])
    for row in rows:
        assert b"A-17" not in bytes(row)
        assert opened[0] not in bytes(row)
    assert len({bytes(row) for row in rows}) == len(rows)


def test_every_person_has_a_key_of_her_own():
    world = build()
    people = Subject.objects.filter(holder=world.holder)
    opened = keys.unwrap(world.holder.ref, [bytes(one.wrapped_key) for one in people])
    assert len(set(opened)) == people.count() == 2
    assert {len(key) for key in opened} == {32}


@pytest.mark.parametrize("away", ["absent", "another"])
def test_a_no_counts_also_while_the_holders_key_is_away(tmp_path, away):
    world = build()
    first, second = world.give(), world.give(purpose=world.other_purpose)
    with override_settings(SAYSO_KEYS=tmp_path, DEMO=False):
        if away == "another":
            KeyRing(tmp_path).install(world.holder.ref)
        world.withdraw(first)
        consents.pause(consent=second, **stamp(world.her))
        world.object()
        # Both noes are kept at her other holder too, whose key is not there either.
        assert Entry.objects.filter(reason="key-absent").count() == 5
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.ended_at is not None
    assert second.paused_at is not None
    assert Objection.objects.filter(subject=world.hers, lifted_at__isnull=True).exists()


def test_with_another_key_of_the_holder_no_yes_is_recorded(tmp_path):
    world = build()
    world.give()
    with override_settings(SAYSO_KEYS=tmp_path):
        KeyRing(tmp_path).install(world.holder.ref)
        for deed in (
            lambda: world.give(),
            lambda: world.give(purpose=world.other_purpose),
        ):
            with nothing_happens(world), pytest.raises(NotReady) as refusal:
                deed()
            assert refusal.value.code == "key_wrong"


def test_without_the_holders_key_nobody_is_enrolled_and_nothing_is_imported(tmp_path):
    world = build()
    before = (Subject.objects.count(), Scope.objects.count())
    wanted = digests(world.holder, 3)
    with override_settings(SAYSO_KEYS=tmp_path, DEMO=False):
        for deed in (
            lambda: enrol(world.holder, wanted, world.advocate),
            lambda: subjects.digest_key(world.holder),
            lambda: imports.consents(holder=world.holder, lines=[], **stamp(world.advocate)),
        ):
            with nothing_happens(world), pytest.raises(NotReady) as refusal:
                deed()
            assert refusal.value.code == "key_missing"
    assert (Subject.objects.count(), Scope.objects.count()) == before
