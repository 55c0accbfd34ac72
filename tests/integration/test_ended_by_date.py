"""A yes that came to its end by its date is written down as ended: once, and it changes nothing else."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import timezone

from audit.vocabulary import EntryType
from common.errors import NotReady
from consent.actions import consents, endings, giving
from consent.models import Consent, ConsentEvent
from consent.queries import endings as queries
from consent.queries import keys, receipts, sharing
from consent.vocabulary import Ending, Happening, Standing
from governance.models import ScopeMove
from governance.queries import noes
from oversight import rules
from portal import slips
from release.queries import accounting
from release.tasks import tick
from tests.factories import consent as said
from tests.factories import speaking as made
from tests.integration.consent_world import build, entries_after, her_tag, last_entry, stamp

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LONG = timedelta(days=3)


def happened(consent):
    events = ConsentEvent.objects.filter(consent=consent).order_by("pk")
    return list(events.values_list("happening", flat=True))


def test_at_its_end_and_not_a_second_before_it_is_written_down_once_with_her_tag():
    world = build()
    consent = world.give()
    last, moves = last_entry(), ScopeMove.objects.count()
    assert endings.note_due(at=consent.ends - SECOND) == 0
    assert endings.note_due(at=consent.ends) == 1
    assert endings.note_due(at=consent.ends + SECOND) == 0
    assert happened(consent) == ["given", "expired"]
    (entry,) = entries_after(last)
    assert (entry.type, entry.actor, entry.time) == (
        *(EntryType.CONSENT_EXPIRED, "clock"),
        consent.ends,
    )
    assert entry.resource == her_tag(world.hers, entry).hex()
    consent.refresh_from_db()
    assert (consent.expired_at, consent.ended_at) == (consent.ends, None)
    assert ScopeMove.objects.count() == moves


def test_it_stands_as_its_events_say():
    world = build()
    consent = world.give()
    consents.pause(consent=consent, **stamp(world.her))
    endings.note_due(at=consent.ends + LONG)
    consent.refresh_from_db()
    events = [
        (e.happening, e.at) for e in ConsentEvent.objects.filter(consent=consent).order_by("pk")
    ]
    said = rules.State(None, None, consent.paused_at, consent.expired_at)
    assert rules.derived(events) == said
    assert rules.derived([*events, events[-1]]) == "its time was over twice."


def test_the_clock_does_it_by_itself():
    world = build()
    consent = world.give()
    tick(consent.ends + SECOND)
    assert happened(consent)[-1] == "expired"


def test_a_bounded_number_at_a_time_the_oldest_end_first():
    world = build()
    late, early = world.give(), world.give(subject=world.other, ends=world.now + timedelta(days=9))
    assert endings.note_due(at=late.ends, most=1) == 1
    assert (len(happened(early)), len(happened(late))) == (2, 1)
    assert endings.note_due(at=late.ends, most=1) == 1
    assert endings.note_due(at=late.ends, most=1) == 0


def test_what_she_stopped_or_renewed_before_its_end_never_runs_out():
    world = build()
    stopped = world.give()
    world.withdraw(stopped)
    renewed = world.give(subject=world.other)
    with override_settings(COOLING_HOURS=0):
        newer = world.give(subject=world.other, signed_at=timezone.now())
    assert endings.note_due(at=renewed.ends) == 1
    assert happened(stopped) == ["given", "withdrawn"]
    assert happened(renewed) == ["given", "superseded"]
    assert happened(newer) == ["given", "expired"]


@pytest.mark.parametrize("first", ["she", "the other clock"])
def test_whoever_was_faster_wins_and_nothing_happens_twice(monkeypatch, first):
    world = build()
    consent = world.give()
    unnoted = queries.unnoted

    def meanwhile(at, most):
        found = unnoted(at, most)
        monkeypatch.setattr(queries, "unnoted", unnoted)
        if first == "she":
            world.withdraw(consent)
        else:
            assert endings.note_due(at=consent.ends) == 1
        return found

    monkeypatch.setattr(queries, "unnoted", meanwhile)
    assert endings.note_due(at=consent.ends) == 0
    assert happened(consent) == ["given", "withdrawn" if first == "she" else "expired"]


def test_a_newer_yes_takes_the_place_of_one_that_ended_by_its_date():
    world = build()
    older = world.give(signed_at=world.now - timedelta(days=40), ends=world.now - timedelta(days=1))
    assert endings.note_due(at=timezone.now()) == 1
    newer = world.give()
    older.refresh_from_db()
    assert older.ending == Ending.SUPERSEDED
    assert happened(older) == ["given", "expired", "superseded"]
    assert sharing.one(world.her, newer.ref, timezone.now()).standing == Standing.IN_FORCE


def test_a_no_after_it_still_counts_against_older_papers():
    world = build()
    consent = world.give()
    endings.note_due(at=consent.ends)
    world.withdraw(consent)
    with pytest.raises(giving.Refused, match="said no after"):
        world.give()


def test_while_noes_are_not_known_here_nothing_is_written_down(monkeypatch):
    world = build()
    consent = world.give()
    monkeypatch.setattr(noes, "against", lambda: NotReady("restored", "Noes are forgotten."))
    assert endings.note_due(at=consent.ends) == 0
    monkeypatch.undo()
    assert endings.note_due(at=consent.ends) == 1


def test_where_the_holders_key_is_away_her_tag_comes_later(monkeypatch):
    world = build()
    consent = world.give()

    def away(_subject):
        raise NotReady("key_missing", "The key is not there.")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "own_key", away)
        assert endings.note_due(at=consent.ends) == 1
    entry = ConsentEvent.objects.get(happening=Happening.EXPIRED).entry
    assert entry.reason == keys.KEY_ABSENT
    assert entry.resource != her_tag(world.hers, entry).hex()


def test_a_yes_of_others_ends_with_their_authority():
    world = build()
    until = timezone.now() + timedelta(days=10)
    authority = made.representative(
        subject=world.hers, ends=until, starts=world.now, recorded_at=world.now
    )
    consent = said.consent(  # longer than the authority, as no deed leaves it
        subject=world.hers,
        signer="guardian",
        authority=authority.ref,
        ends=until + LONG,
    )
    made.spoken(consent=consent, representative=authority)
    assert endings.note_due(at=until - SECOND) == 0
    assert endings.note_due(at=until) == 1
    assert endings.note_due(at=consent.ends) == 0
    assert happened(consent) == ["expired"]


# --- what she sees --------------------------------------------------------------------------------


def test_she_sees_that_it_ended_by_its_date_and_when_however_late_the_clock_came():
    world = build()
    consent = world.give(
        signed_at=world.now - timedelta(days=40), ends=world.now - timedelta(days=5)
    )
    before = receipts.of(sharing.one(world.her, consent.ref, timezone.now()))
    endings.note_due(at=timezone.now())
    after = receipts.of(sharing.one(world.her, consent.ref, timezone.now()))
    assert (before.number, before.happened) == (after.number, after.happened)
    assert slips.told(after)[-1] == (consent.ends, "Your yes ended by its date.")
    (event,) = [e for e in accounting.uses_of(world.hers) if e.word == "consent:expired"]
    assert event.at == consent.ends


def test_a_paused_yes_that_is_past_its_end_is_over_for_her_too():
    world = build()
    consent = world.give()
    consents.pause(consent=consent, **stamp(world.her))
    standing = [
        sharing.one(world.her, consent.ref, at).standing
        for at in (consent.ends - SECOND, consent.ends)
    ]
    assert standing == [Standing.PAUSED, Standing.EXPIRED]


# --- the database says it too ---------------------------------------------------------------------


def refused(consent, at):
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(expired_at=at)
    return True


def test_nobody_moves_the_mark_and_no_other_end_gets_one():
    world = build()
    consent = world.give()
    assert refused(consent, consent.ends - SECOND)
    endings.note_due(at=consent.ends)
    assert refused(consent, None)
    assert refused(consent, consent.ends + LONG)
    stopped = world.withdraw(world.give(subject=world.other), by=world.stranger)
    assert refused(stopped, stopped.ends)
