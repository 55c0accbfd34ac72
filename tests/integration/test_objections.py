"""A standing no: make, narrow, lift; which scopes it moves, and what it does to yeses."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from consent.actions import consents, objections
from consent.models import Objection
from consent.queries import sharing
from consent.vocabulary import Standing
from governance.models import ScopeMove
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing, OrganisationKind
from tests.integration.consent_world import (
    build,
    days,
    entries_after,
    her_tag,
    last_entry,
    nothing_happens,
    stamp,
)

pytestmark = pytest.mark.django_db

# What can be named, as it is named in `world`.
NAMES = {
    "recipient": lambda w: w.recipient,
    "recipient_kind": lambda w: OrganisationKind.RESEARCH,
    "purpose": lambda w: w.purpose,
    "category": lambda w: w.categories[0],
}
OTHERS = {
    "recipient": lambda w: w.police,
    "recipient_kind": lambda w: OrganisationKind.POLICE,
    "purpose": lambda w: w.other_purpose,
    "category": lambda w: w.categories[1],
}
MIXES = [mix for size in range(5) for mix in itertools.combinations(NAMES, size)]


def named(world, mix, words=NAMES):
    return {name: words[name](world) for name in mix}


def standing(world, consent):
    return sharing.one(world.her, consent.ref, timezone.now()).standing


def narrow(world, objection, **more):
    return objections.narrow(objection=objection, **more, **stamp(world.her))


def lift(world, objection):
    return objections.lift(objection=objection, **stamp(world.her))


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
def test_a_no_moves_the_recipients_scope_where_it_names_one_and_everyones_where_not(mix):
    world = build()
    before, aside = epochs(world.recipient.pk), epochs(world.police.pk)
    last = last_entry()
    objection = world.object(**named(world, mix))
    after = epochs(world.recipient.pk)
    one = int("recipient" in mix)
    assert (after.everyone, after.scope) == (before.everyone + 1 - one, before.scope + one)
    assert epochs(world.police.pk).scope == aside.scope
    moves = ScopeMove.objects.filter(act=Narrowing.OBJECTION_MADE)
    assert {move.slot for move in moves} == {world.hers.slot, world.elsewhere.slot}
    assert {move.moved_at for move in moves} == {objection.made_at}
    assert objection.made_at >= world.now
    entry, _elsewhere = entries_after(last)
    assert (entry.type, entry.actor) == (EntryType.OBJECTION_MADE, "person")
    assert entry.epoch_everyone == after.everyone
    assert entry.epoch_scope == (after.scope if one else None)
    assert entry.purpose == ("study" if "purpose" in mix else "")
    assert entry.resource == her_tag(world.hers, entry).hex()
    assert bytes(entry.subjects_root) == subjects_root([her_tag(world.hers, entry)])


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
def test_a_no_closes_what_it_names_and_nothing_else(mix):
    world = build()
    consent = world.give(categories=world.categories[:1])
    world.object(**named(world, mix))
    assert standing(world, consent) == Standing.OBJECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_no_to_something_else_closes_nothing(name):
    world = build()
    consent = world.give(categories=world.categories[:1])
    others = set(NAMES) - {name}
    world.object(**named(world, others), **named(world, [name], OTHERS))
    assert standing(world, consent) == Standing.IN_FORCE


def test_the_same_no_is_not_said_twice_and_another_one_is():
    world = build()
    for mix in MIXES:
        world.object(**named(world, mix))
    for mix in MIXES:
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            world.object(**named(world, mix))
        assert refusal.value.code == "already_objected"
    assert Objection.objects.filter(subject=world.hers).count() == len(MIXES)
    assert Objection.objects.filter(subject=world.elsewhere).count() == len(MIXES)


def test_a_no_that_was_taken_back_can_be_said_again():
    world = build()
    first = world.object(recipient=world.recipient)
    lift(world, first)
    again = world.object(recipient=world.recipient)
    assert again.pk != first.pk
    assert again.lifted_at is None


def test_the_same_no_of_two_people_is_two_noes():
    world = build()
    world.object()
    objections.make(subject=world.other, **stamp(world.stranger))
    standing_ones = Objection.objects.filter(lifted_at__isnull=True)
    assert {each.subject for each in standing_ones} == {world.hers, world.elsewhere, world.other}


# --- narrow ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_no_is_made_smaller_by_naming_more(name):
    world = build()
    old = world.object()
    last, before = last_entry(), epochs(world.recipient.pk)
    new = narrow(world, old, **named(world, [name]))
    old.refresh_from_db()
    assert old.lifted_at is not None
    assert getattr(new, name) == NAMES[name](world)
    assert (new.made_at, new.lifted_at, new.made_by) == (old.made_at, None, world.her)
    assert epochs(world.recipient.pk) == before
    (entry,) = entries_after(last)
    assert (entry.type, entry.epoch_everyone) == (EntryType.OBJECTION_NARROWED, None)


@pytest.mark.parametrize("mix", MIXES[1:], ids="+".join)
def test_what_a_no_named_it_keeps(mix):
    world = build()
    old = world.object(**named(world, mix))
    changes = [{}, named(world, mix), named(world, mix, OTHERS)]
    if len(mix) < len(NAMES):
        (more,) = list(set(NAMES) - set(mix))[:1]
        changes.append(named(world, [more]) | named(world, mix[:1], OTHERS))
    for change in changes:
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            narrow(world, old, **change)
        assert refusal.value.code == "not_narrower"


def test_a_narrowed_no_closes_only_what_it_still_names():
    world = build()
    consent = world.give()
    other = world.give(recipient=world.police)
    narrow(world, world.object(), recipient=world.police)
    assert standing(world, consent) == Standing.IN_FORCE
    assert standing(world, other) == Standing.OBJECTED


# --- lift -----------------------------------------------------------------------------------------


def test_a_no_taken_back_stands_no_more_and_moves_no_epoch():
    world = build()
    consent = world.give()
    objection = world.object()
    last, before = last_entry(), epochs(world.recipient.pk)
    lifted = lift(world, objection)
    assert lifted.lifted_at > lifted.made_at
    assert epochs(world.recipient.pk) == before
    (entry,) = entries_after(last)
    assert (entry.type, entry.epoch_everyone) == (EntryType.OBJECTION_LIFTED, None)
    assert standing(world, consent) == Standing.IN_FORCE


@pytest.mark.parametrize("deed", [lift, narrow])
def test_what_was_taken_back_is_neither_narrowed_nor_taken_back_again(deed):
    world = build()
    objection = world.object()
    lift(world, objection)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        deed(world, objection)
    assert refusal.value.code == "already_lifted"


@pytest.mark.parametrize("late", [0, 300])
def test_a_door_whose_clock_is_behind_can_still_take_a_no_back(late):
    world = build()
    for deed, more in ((objections.lift, {}), (objections.narrow, {"purpose": world.purpose})):
        objection = world.object(recipient=world.recipient)
        at = objection.made_at - timedelta(seconds=late)
        deed(objection=objection, by=world.her, at=at, via=Via.PORTAL, **more)
        objection.refresh_from_db()
        assert objection.lifted_at > objection.made_at


# --- what a no does to a yes ----------------------------------------------------------------------

WHOLE = [mix for mix in MIXES if "category" not in mix]


def taken_back(world, mix):
    return lift(world, world.object(**named(world, mix)))


@pytest.mark.parametrize("mix", WHOLE, ids="+".join)
@pytest.mark.parametrize("lifted", [False, True])
def test_a_yes_signed_before_a_no_is_refused_even_where_the_no_was_taken_back(mix, lifted):
    world = build()
    objection = world.object(**named(world, mix))
    if lifted:
        lift(world, objection)
    for late in (timedelta(0), timedelta(seconds=1)):
        with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
            world.give(signed_at=objection.made_at - late)
        assert refusal.value.code == "older_than_no"
    younger = world.give(signed_at=objection.made_at + timedelta(microseconds=1))
    assert standing(world, younger) == (Standing.IN_FORCE if lifted else Standing.OBJECTED)


@pytest.mark.parametrize("name", NAMES)
def test_a_yes_signed_before_a_no_to_something_else_comes_into_force(name):
    world = build()
    others = [each for each in NAMES if each not in {name, "category"}]
    world.object(**named(world, others), **named(world, [name], OTHERS))
    assert standing(world, world.give(signed_at=world.now - days(1))) == Standing.IN_FORCE


def test_a_narrowed_no_still_refuses_the_yes_that_was_older_than_it():
    world = build()
    narrow(world, world.object(), recipient=world.police)
    for recipient in (world.recipient, world.police):
        with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
            world.give(recipient=recipient)
        assert refusal.value.code == "older_than_no"


def test_the_no_of_another_person_refuses_nothing():
    world = build()
    objections.make(subject=world.other, **stamp(world.stranger))
    assert standing(world, world.give()) == Standing.IN_FORCE
