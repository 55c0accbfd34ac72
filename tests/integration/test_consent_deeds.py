"""A yes and what becomes of it: give and withdraw."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import RuleBroken
from consent.actions import consents
from consent.models import CategorySetItem, Consent, ConsentEvent, Terms
from consent.queries import sharing
from consent.vocabulary import Ending, Happening, Signer, Standing
from governance.models import ScopeMove
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing, Role
from tests.factories import governance as made
from tests.integration.consent_world import (
    DAYS,
    build,
    days,
    entries_after,
    her_tag,
    known_as,
    last_entry,
    nothing_happens,
    stamp,
)

pytestmark = pytest.mark.django_db


def how(consent):
    """How it stands for her now."""
    return sharing.one(consent.subject.account, consent.ref, timezone.now()).standing


# --- give -----------------------------------------------------------------------------------------


def test_a_whole_yes_is_in_force_at_once_and_is_written_down_as_it_was_said():
    world = build()
    last = last_entry()
    signed, ends = world.now - days(2), world.now + days(9)
    consent = world.give(signed_at=signed, ends=ends, by=world.her)
    consent.refresh_from_db()
    assert (consent.subject, consent.holder) == (world.hers, world.holder)
    assert (consent.recipient, consent.purpose) == (world.recipient, world.purpose)
    assert (consent.signed_at, consent.starts, consent.ends) == (signed, signed, ends)
    assert consent.record_until == signed.date()
    assert consent.recorded_by == world.her
    assert how(consent) == Standing.IN_FORCE
    covered = CategorySetItem.objects.filter(set=consent.category_set)
    assert {item.version.category for item in covered} == set(world.categories)
    (entry,) = entries_after(last)
    assert (entry.type, entry.actor) == (EntryType.CONSENT_GIVEN, "person")
    assert (entry.purpose, entry.subjects_band) == ("study", "1")
    event = ConsentEvent.objects.get()
    assert (event.consent, event.happening, event.by) == (consent, Happening.GIVEN, world.her)
    assert event.entry == entry


def test_her_own_times_are_kept():
    world = build()
    starts = world.now + days(3)
    until = (world.now - days(200)).date()
    consent = world.give(starts=starts, record_until=until)
    assert (consent.starts, consent.record_until) == (starts, until)
    assert how(consent) == Standing.NOT_STARTED


def test_a_plain_yes_moves_no_epoch():
    world = build()
    before = epochs(world.recipient.pk)
    world.give()
    assert epochs(world.recipient.pk) == before
    assert not ScopeMove.objects.exists()


def test_the_newest_version_of_a_category_is_what_a_yes_covers():
    world = build()
    older = world.give()
    newer = made.category_version(category=world.categories[0], number=2)
    consent = world.give(purpose=world.other_purpose, categories=world.categories[:1])
    items = CategorySetItem.objects.filter(set=consent.category_set)
    assert [item.version for item in items] == [newer]
    assert not CategorySetItem.objects.filter(set=older.category_set, version=newer).exists()


REFUSED = {
    "missing_categories": lambda w: {"categories": []},
    "missing_language": lambda w: {"terms": Terms(published_at=w.terms.published_at)},
    "missing_answers": lambda w: {"answers": "yyyyyyn"},
    "missing_signature": lambda w: {"signature": " "},
    "missing_authority": lambda w: {"signer": Signer.GUARDIAN, "authority": " "},
    "signed_in_future": lambda w: {"signed_at": timezone.now() + timedelta(minutes=6)},
    "starts_before_signature": lambda w: {"starts": w.now - days(2)},
    "ends_before_start": lambda w: {"starts": w.now + days(2), "ends": w.now + days(2)},
    "too_long": lambda w: {"ends": w.now - days(1) + days(DAYS) + timedelta(seconds=1)},
    "terms_later": lambda w: {"signed_at": w.now - days(401), "ends": w.now - days(390)},
    "record_after_end": lambda w: {"record_until": (w.now + days(32)).date()},
    "holder_is_recipient": lambda w: {"recipient": w.holder, "by": w.her},
    "signature_too_long": lambda w: {"signature": "x" * 201},
    "authority_too_long": lambda w: {"signer": Signer.GUARDIAN, "authority": "x" * 121},
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_yes_that_lacks_something_is_refused_by_name_and_leaves_nothing(code):
    world = build()
    change = REFUSED[code](world)
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give(**change)
    assert code in [problem.code for problem in refusal.value.problems]


def test_every_reason_is_named_at_once():
    world = build()
    with pytest.raises(consents.Refused) as refusal:
        world.give(categories=[], answers="", signature="")
    assert [problem.code for problem in refusal.value.problems] == [
        "missing_categories",
        "missing_answers",
        "missing_signature",
    ]
    assert refusal.value.code == "missing_categories"


@pytest.mark.parametrize("role", Role)
def test_nobody_of_the_recipient_records_a_yes_to_it_whatever_their_role(role):
    world = build()
    made.membership(user=world.advocate, organisation=world.recipient, role=role)
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give()
    assert refusal.value.code == "recorded_by_recipient"


def test_a_yes_signed_before_she_stopped_is_refused_and_one_signed_after_is_not():
    world = build()
    stopped = world.withdraw(world.give())
    for late in (0, 1):
        with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
            world.give(signed_at=stopped.ended_at - timedelta(seconds=late))
        assert refusal.value.code == "older_than_no"
    again = world.give(signed_at=stopped.ended_at + timedelta(microseconds=1))
    assert how(again) == Standing.IN_FORCE


@pytest.mark.parametrize("then", ["stays", "is gone on from"])
def test_a_yes_signed_before_she_paused_is_refused_and_one_signed_after_is_not(then):
    world = build()
    running = world.give(signed_at=world.now - days(9))
    paused = consents.pause(consent=running, **stamp(world.her))
    at = paused.paused_at
    if then == "is gone on from":
        consents.resume(consent=running, **stamp(world.her))
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give(signed_at=at)
    assert refusal.value.code == "older_than_no"
    young = {"signed_at": at + timedelta(microseconds=1)}
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give(**young)  # in the place of one that is paused, or runs to an earlier day
    assert refusal.value.code == "has_to_wait"
    again = world.give(**young, at=at + days(1) + timedelta(seconds=1))
    assert how(again) == Standing.IN_FORCE


def test_a_yes_signed_before_the_narrower_one_on_record_does_not_replace_it():
    world = build()
    world.give(signed_at=world.now - days(9))
    narrow = world.give(signed_at=world.now - days(1), categories=world.categories[:1])
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give(signed_at=world.now - days(3))
    assert refusal.value.code == "older_than_yes"
    narrow.refresh_from_db()
    assert narrow.ended_at is None


def test_a_stop_at_one_holder_lets_no_older_yes_in_at_the_other():
    world = build()
    stopped = world.withdraw(world.give())
    there = {"subject": world.elsewhere, "by": world.her}
    with nothing_happens(world), pytest.raises(consents.Refused) as refusal:
        world.give(signed_at=world.now - days(3), **there)
    assert refusal.value.code == "older_than_no"
    world.give(signed_at=world.now - days(3), purpose=world.other_purpose, **there)
    world.give(signed_at=stopped.ended_at + timedelta(microseconds=1), **there)


def test_a_stop_speaks_about_its_own_recipient_purpose_and_person_only():
    world = build()
    world.withdraw(world.give())
    world.give(recipient=world.police)
    world.give(purpose=world.other_purpose)
    world.give(subject=world.other)
    assert Consent.objects.filter(ended_at__isnull=True).count() == 3


def test_a_newer_yes_supersedes_the_older_one_and_moves_the_epoch():
    world = build()
    older = world.give()
    before = epochs(world.recipient.pk)
    last = last_entry()
    newer = world.give(
        categories=world.categories[:1],
        signed_at=world.now,
        record_until=older.record_until,
    )
    older.refresh_from_db()
    assert (older.ending, newer.ended_at) == (Ending.SUPERSEDED, None)
    after = epochs(world.recipient.pk)
    assert (after.everyone, after.scope) == (before.everyone, before.scope + 1)
    move = ScopeMove.objects.get()
    assert (move.act, move.slot) == (Narrowing.CONSENT_SUPERSEDED, world.hers.slot)
    assert move.moved_at == older.ended_at
    ended, given = entries_after(last)
    assert (ended.type, given.type) == (EntryType.CONSENT_SUPERSEDED, EntryType.CONSENT_GIVEN)
    assert ended.epoch_scope == given.epoch_scope == after.scope
    assert [event.happening for event in older.events.order_by("pk")] == ["given", "superseded"]
    assert how(newer) == Standing.IN_FORCE
    with pytest.raises(RuleBroken, match="ended already"):
        world.withdraw(older)


def test_a_refused_renewal_leaves_the_older_yes_as_it_was():
    world = build()
    world.give()
    with nothing_happens(world), pytest.raises(consents.Refused):
        world.give(signature="")


# --- withdraw -------------------------------------------------------------------------------------


def test_a_stop_ends_sharing_at_once_and_is_written_everywhere():
    world = build()
    consent = world.give()
    before, last = epochs(world.recipient.pk), last_entry()
    stopped = world.withdraw(consent)
    consent.refresh_from_db()
    assert consent.ending == Ending.WITHDRAWN
    assert world.now < consent.ended_at == stopped.ended_at <= timezone.now()
    assert how(consent) == Standing.WITHDRAWN
    after = epochs(world.recipient.pk)
    assert (after.everyone, after.scope) == (before.everyone, before.scope + 1)
    move = ScopeMove.objects.get(slot=world.hers.slot)
    assert (move.act, move.epoch) == (Narrowing.CONSENT_WITHDRAWN, after.scope)
    entry, there = entries_after(last)
    assert (entry.type, entry.actor) == (EntryType.CONSENT_WITHDRAWN, "person")
    assert (there.type, there.resource) == (
        EntryType.OBJECTION_MADE,
        her_tag(world.elsewhere, there).hex(),
    )
    assert (entry.epoch_everyone, entry.epoch_scope) == (after.everyone, after.scope)
    assert entry.time == move.moved_at == consent.ended_at
    event = consent.events.get(happening=Happening.WITHDRAWN)
    assert (event.at, event.by, event.entry) == (consent.ended_at, world.her, entry)


def test_only_her_own_key_makes_her_tag_again():
    world = build()
    last = last_entry()
    consents.pause(consent=world.give(), **stamp(world.her))
    for entry in entries_after(last):
        hers, others = her_tag(world.hers, entry), her_tag(world.other, entry)
        assert entry.resource == hers.hex() != others.hex()
        assert bytes(entry.subjects_root) == subjects_root([hers]) != subjects_root([others])
        leaf = bytes(entry.leaf)
        for word in (world.her.ref, world.her.username, world.holder.ref):
            assert word.encode() not in leaf
    given, paused = entries_after(last)
    assert given.resource != paused.resource  # two entries of hers cannot be put side by side


def test_a_second_stop_is_refused_and_moves_nothing():
    world = build()
    consent = world.give()
    world.withdraw(consent)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        world.withdraw(consent)
    assert refusal.value.code == "already_ended"


def test_a_stop_ends_a_paused_and_a_coming_yes_too():
    world = build()
    paused = consents.pause(consent=world.give(), **stamp(world.her))
    coming = world.give(purpose=world.other_purpose, starts=world.now + days(3))
    for consent in (paused, coming):
        world.withdraw(consent)
        assert how(consent) == Standing.WITHDRAWN


def test_one_stop_ends_all_of_hers_to_that_recipient_and_purpose_at_every_holder():
    world = build()
    here = world.give()
    there = world.give(subject=world.elsewhere, by=world.her)
    kept = [
        world.give(purpose=world.other_purpose),
        world.give(recipient=world.police, subject=world.elsewhere, by=world.her),
        world.give(subject=world.other),
    ]
    last = last_entry()
    world.withdraw(here)
    here.refresh_from_db()
    there.refresh_from_db()
    assert here.ending == there.ending == Ending.WITHDRAWN
    assert here.ended_at == there.ended_at
    for consent in kept:
        consent.refresh_from_db()
        assert consent.ended_at is None
    slots = set(ScopeMove.objects.values_list("slot", flat=True))
    assert slots == {world.hers.slot, world.elsewhere.slot}
    first, second = entries_after(last)
    assert first.resource == her_tag(world.hers, first).hex()
    assert second.resource == her_tag(world.elsewhere, second).hex()
    assert there.events.filter(happening=Happening.WITHDRAWN, entry=second).exists()


def test_a_stop_at_a_holder_she_has_no_sign_in_for_stays_there():
    world = build()
    there = world.give(subject=world.elsewhere, by=world.her)
    known_as(world.stranger, world.elsewhere)
    here = world.give()
    world.hers.account = None
    world.hers.save(update_fields=["account"])
    unknown = world.enrol("L-9", world.lake)
    other = world.give(subject=unknown, by=world.lake_advocate)
    world.withdraw(here, by=world.advocate)
    for consent in (there, other):
        consent.refresh_from_db()
        assert consent.ended_at is None
