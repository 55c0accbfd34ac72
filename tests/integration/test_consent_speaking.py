"""Pausing, resuming, a stop said aloud; who may speak for whom; the texts people say yes to."""

import pytest
from django.utils import timezone

from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from consent.actions import consents, liftings, objections, stops, subjects
from consent.models import Consent
from consent.queries import sharing
from consent.vocabulary import Ending, Happening, Standing
from governance.models import ScopeMove, User
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing
from tests.integration.consent_world import (
    build,
    days,
    entries_after,
    last_entry,
    nothing_happens,
    stamp,
)
from tests.integration.test_governance_races import at_once

pytestmark = pytest.mark.django_db


def how(consent):
    """How it stands for her now."""
    return sharing.one(consent.subject.account, consent.ref, timezone.now()).standing


# --- pause and resume -----------------------------------------------------------------------------

# How it was paused before, what is asked, what comes of it. Days from now; None: without an end.
PAUSES = [
    ("never", None, None),
    ("never", 5, None),
    ("never", 0, "pause_in_past"),
    ("never", -1, "pause_in_past"),
    (5, None, None),
    (5, 6, None),
    (5, 4, "pause_shorter"),
    (None, None, "already_paused"),
    (None, 5, "already_paused"),
    ("over", 5, None),
    ("over", None, None),
]


def paused_before(world, consent, before):
    if before == "over":  # said the day before yesterday, until yesterday
        then = stamp(world.her) | {"at": world.now - days(2)}
        consents.pause(consent=consent, until=world.now - days(1), **then)
        assert how(consent) == Standing.IN_FORCE
    elif before != "never":
        until = None if before is None else world.now + days(before)
        consents.pause(consent=consent, until=until, **stamp(world.her))


@pytest.mark.parametrize(("before", "asked", "refused"), PAUSES)
def test_a_pause_only_ever_grows_longer(before, asked, refused):
    world = build()
    consent = world.give()
    paused_before(world, consent, before)
    until = None if asked is None else world.now + days(asked)
    last, moved = last_entry(), epochs(world.recipient.pk)
    if refused:
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            consents.pause(consent=consent, until=until, **stamp(world.her))
        assert refusal.value.code == refused
        return
    found = consents.pause(consent=consent, until=until, **stamp(world.her))
    assert (found.paused_until, how(found)) == (until, Standing.PAUSED)
    after = epochs(world.recipient.pk)
    assert (after.everyone, after.scope) == (moved.everyone, moved.scope + 1)
    (entry,) = entries_after(last)
    assert (entry.type, entry.epoch_scope) == (EntryType.CONSENT_PAUSED, after.scope)
    assert entry.time == found.paused_at
    move = ScopeMove.objects.order_by("-pk").first()
    assert (move.act, move.slot) == (Narrowing.CONSENT_PAUSED, world.hers.slot)


@pytest.mark.parametrize("before", [5, None])
def test_resuming_opens_what_was_paused_and_moves_no_epoch(before):
    world = build()
    consent = world.give()
    paused_before(world, consent, before)
    last, moved = last_entry(), epochs(world.recipient.pk)
    found = consents.resume(consent=consent, **stamp(world.her))
    assert (found.paused_at, found.paused_until) == (None, None)
    assert how(found) == Standing.IN_FORCE
    assert epochs(world.recipient.pk) == moved
    (entry,) = entries_after(last)
    assert (entry.type, entry.epoch_scope) == (EntryType.CONSENT_RESUMED, None)
    happened = found.events.order_by("pk").values_list("happening", flat=True)
    assert list(happened) == [Happening.GIVEN, Happening.PAUSED, Happening.RESUMED]


@pytest.mark.parametrize("before", ["never", "over"])
def test_what_is_not_paused_is_not_resumed(before):
    world = build()
    consent = world.give()
    paused_before(world, consent, before)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        consents.resume(consent=consent, **stamp(world.her))
    assert refusal.value.code == "not_paused"


@pytest.mark.parametrize("late", [0, 300])
def test_a_door_whose_clock_is_behind_can_still_resume(late):
    world = build()
    consent = consents.pause(consent=world.give(), **stamp(world.her))
    at = consent.paused_at - days(late / 86_400)
    consents.resume(consent=consent, by=world.her, at=at, via=Via.PORTAL)
    pause, resumed = consent.events.order_by("pk")[1:]
    assert resumed.at > pause.at
    assert resumed.entry.time == resumed.at


def test_what_has_ended_is_neither_paused_nor_resumed():
    world = build()
    consent = consents.pause(consent=world.give(), **stamp(world.her))
    world.withdraw(consent)
    for deed in (consents.pause, consents.resume):
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            deed(consent=consent, **stamp(world.her))
        assert refusal.value.code == "already_ended"


# --- a stop said aloud ----------------------------------------------------------------------------


def stop(world, number="A-17", **given):
    whole = {"holder": world.holder, "number": number, **stamp(world.advocate), **given}
    return stops.record(**whole)


def test_a_stop_said_aloud_ends_everything_of_hers_and_nothing_of_others():
    world = build()
    hers = [
        world.give(),
        world.give(purpose=world.other_purpose),
        world.give(recipient=world.police),
    ]
    other = world.give(subject=world.other)
    assert stop(world, " A-17 ") is None  # it says nothing of what was there
    for consent in hers:
        consent.refresh_from_db()
        assert consent.ending == Ending.WITHDRAWN
        assert consent.events.get(happening=Happening.WITHDRAWN).by == world.advocate
    other.refresh_from_db()
    assert other.ended_at is None


def test_a_stop_said_aloud_to_one_recipient_leaves_the_others():
    world = build()
    ended = [world.give(), world.give(purpose=world.other_purpose)]
    kept = world.give(recipient=world.police)
    stop(world, recipient=world.recipient)
    assert {one.pk for one in Consent.objects.filter(ended_at__isnull=False)} == {
        one.pk for one in ended
    }
    assert how(kept) == Standing.IN_FORCE


def test_a_stop_said_aloud_where_nothing_runs_keeps_older_papers_out_and_may_be_said_twice():
    world = build()
    before = epochs(world.recipient.pk).everyone
    stop(world)
    stop(world)
    assert epochs(world.recipient.pk).everyone == before + 2
    with pytest.raises(consents.Refused) as refusal:
        world.give()
    assert refusal.value.code == "older_than_no"
    younger = world.give(signed_at=timezone.now())
    assert how(younger) == Standing.IN_FORCE


def test_a_number_that_is_not_known_here_stops_nobody():
    world = build()
    world.give()
    for number in ("L-3", "a-17"):
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            stop(world, number)
        assert refusal.value.code == "number_unknown"


def test_only_the_holders_advocate_records_a_stop_said_aloud():
    world = build()
    world.give()
    for by in (world.steward, world.lake_advocate, world.recipient_staff, world.her):
        with nothing_happens(world), pytest.raises(NotPermitted):
            stop(world, **stamp(by))


@pytest.mark.django_db(transaction=True)
def test_two_stops_at_once_leave_nothing_running():
    world = build()
    for purpose in (world.purpose, world.other_purpose):
        for recipient in (world.recipient, world.police, world.lake):
            world.give(purpose=purpose, recipient=recipient)
    assert at_once(lambda: stop(world), lambda: stop(world)) == ["done", "done"]
    assert not Consent.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_two_yeses_at_once_leave_one_in_force():
    world = build()
    for _ in range(4):
        outcomes = at_once(world.give, world.give)
        assert set(outcomes) <= {"done", "changed_meanwhile"}
        assert "done" in outcomes
        running = Consent.objects.filter(ended_at__isnull=True).get()
        world.withdraw(running)
        world.now = timezone.now() + days(1)  # so that the next yes is younger than the stop


# --- who may --------------------------------------------------------------------------------------

DEEDS = {
    "give": lambda w, c, o, by: w.give(purpose=w.other_purpose, by=by),
    "withdraw": lambda w, c, o, by: w.withdraw(c, by=by),
    "pause": lambda w, c, o, by: consents.pause(consent=c, **stamp(by)),
    "resume": lambda w, c, o, by: consents.resume(
        consent=Consent.objects.get(paused_at__isnull=False), **stamp(by)
    ),
    "make": lambda w, c, o, by: objections.make(subject=w.hers, purpose=w.purpose, **stamp(by)),
    "lift": lambda w, c, o, by: liftings.ask(objection=o, **stamp(by)),
    "make smaller": lambda w, c, o, by: liftings.ask(objection=o, purpose=w.purpose, **stamp(by)),
    "narrow": lambda w, c, o, by: consents.narrow(
        consent=c, categories=w.categories[:1], **stamp(by)
    ),
}


def spoken():
    """Her world with one thing for each deed to be about."""
    world = build()
    consent = world.give()
    consents.pause(consent=world.give(recipient=world.police), **stamp(world.her))
    return world, consent, world.object(recipient=world.lake)


def away(world, user):
    user.is_active = False
    user.save(update_fields=["is_active"])
    return User.objects.get(pk=user.pk)


NOBODY = {
    "the steward of her holder": lambda w: w.steward,
    "another holder's advocate": lambda w: w.lake_advocate,
    "the recipient's staff": lambda w: w.recipient_staff,
    "another survivor": lambda w: w.stranger,
    "an advocate who was signed out for good": lambda w: away(w, w.advocate),
    "herself with a closed sign-in": lambda w: away(w, w.her),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("who", NOBODY)
def test_nobody_else_speaks_for_her(deed, who):
    world, consent, objection = spoken()
    by = NOBODY[who](world)
    with nothing_happens(world), pytest.raises(NotPermitted) as refusal:
        DEEDS[deed](world, consent, objection, by)
    assert refusal.value.code == "not_yours"


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("whose", ["her", "advocate"])
def test_she_and_her_holders_advocate_may_and_she_is_only_a_person_in_the_log(deed, whose):
    world, consent, objection = spoken()
    by = getattr(world, whose)
    last = last_entry()
    DEEDS[deed](world, consent, objection, by)
    # A stop is also kept where she is known elsewhere: nothing older comes into force there.
    entries = entries_after(last)
    # So is a standing no; and that one is to be taken back, where she herself asks for it.
    twice = {"withdraw", "make", "narrow"} | ({"lift", "make smaller"} if whose == "her" else set())
    assert len(entries) == (2 if deed in twice else 1)
    for entry in entries:
        assert entry.actor == ("person" if whose == "her" else by.ref)
        leaf = bytes(entry.leaf)
        assert world.her.ref.encode() not in leaf
        assert world.her.username.encode() not in leaf


@pytest.mark.parametrize("who", ["steward", "lake_advocate", "recipient_staff", "her"])
def test_only_the_holders_advocate_gives_a_sign_in(who):
    world = build()
    person = world.enrol("A-30")
    with nothing_happens(world), pytest.raises(NotPermitted):
        subjects.give_account(subject=person, account=world.her, **stamp(getattr(world, who)))
    person.refresh_from_db()
    assert person.account is None


def test_a_sign_in_is_given_once_and_only_a_survivors():
    world = build()
    person = world.enrol("A-30")
    for account, code in ((world.steward, "not_a_survivor"), (world.her, None)):
        if code is None:
            given = subjects.give_account(subject=person, account=account, **stamp(world.advocate))
            assert given.account == world.her
            continue
        with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
            subjects.give_account(subject=person, account=account, **stamp(world.advocate))
        assert refusal.value.code == code
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        subjects.give_account(subject=person, account=world.stranger, **stamp(world.advocate))
    assert refusal.value.code == "account_taken"
