"""A yes made smaller, and one that never counted: at once, told, and never less than was said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.vocabulary import EntryType
from common.errors import RuleBroken
from consent.actions import consents
from consent.actions.giving import Refused
from consent.queries import latest, sharing
from consent.queries.proposals import categories_of
from consent.vocabulary import Ending, Happening, Invalidity, Standing
from governance.models import KeptNo, ScopeMove
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing
from oversight import rules as checked
from tests.integration.consent_world import (
    build,
    days,
    entries_after,
    last_entry,
    nothing_happens,
    stamp,
)

pytestmark = pytest.mark.django_db

LESS = {
    "fewer kinds": lambda w, c: {"categories": w.categories[:1]},
    "an earlier end": lambda w, c: {"ends": c.ends - days(3)},
    "an earlier last day": lambda w, c: {"record_until": c.record_until - days(2)},
}


def narrow(world, consent, **change):
    return consents.narrow(consent=consent, **change, **stamp(world.her))


def how(world, consent, at=None):
    return sharing.one(world.her, consent.ref, at or timezone.now()).standing


@pytest.mark.parametrize("less", LESS)
def test_it_counts_at_once_under_the_same_signature(less):
    world = build()
    old = world.give()
    change = LESS[less](world, old)
    before, last = epochs(world.recipient.pk), last_entry()
    new = narrow(world, old, **change)
    old.refresh_from_db()
    assert (old.ending, old.ended_at) == (Ending.SUPERSEDED, new.starts)
    assert (new.signature, new.signed_at, new.terms) == (old.signature, old.signed_at, old.terms)
    assert how(world, new) == Standing.IN_FORCE
    assert epochs(world.recipient.pk).scope == before.scope + 1
    assert ScopeMove.objects.get().act == Narrowing.CONSENT_NARROWED
    ended, made = entries_after(last)
    assert (ended.type, made.type) == (EntryType.CONSENT_SUPERSEDED, EntryType.CONSENT_NARROWED)
    assert KeptNo.objects.count() == 1
    if "categories" in change:
        assert categories_of(new.category_set_id) == change["categories"]
    for name in {"ends", "record_until"} & set(change):
        assert getattr(new, name) == change[name]


def test_it_ends_at_its_new_end_and_not_a_second_before_r5():
    world = build()
    ends = timezone.now() + days(2)
    new = narrow(world, world.give(), ends=ends)
    assert how(world, new, ends - timedelta(seconds=1)) == Standing.IN_FORCE
    assert how(world, new, ends) == Standing.EXPIRED


MORE = {
    "nothing named": (lambda w, c: {}, "not_less"),
    "the same again": (lambda w, c: {"categories": w.categories, "ends": c.ends}, "not_less"),
    "a later end": (lambda w, c: {"ends": c.ends + days(1)}, "not_less"),
    "fewer kinds to a later end": (
        lambda w, c: {"categories": w.categories[:1], "ends": c.ends + days(1)},
        "not_less",
    ),
    "no kind at all": (lambda w, c: {"categories": []}, "nothing_left"),
    "an end that is past": (lambda w, c: {"ends": timezone.now()}, "end_in_past"),
}


@pytest.mark.parametrize("more", MORE)
def test_what_is_not_less_is_refused(more):
    world = build()
    consent = world.give()
    change, code = MORE[more]
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        narrow(world, consent, **change(world, consent))
    assert refusal.value.code == code


def test_what_was_paused_stays_paused():
    world = build()
    consent = consents.pause(consent=world.give(), **stamp(world.her))
    new = narrow(world, consent, categories=world.categories[:1])
    assert how(world, new) == Standing.PAUSED
    events = [(each.happening, each.at) for each in new.events.order_by("pk")]
    assert [happening for happening, _ in events] == [Happening.NARROWED, Happening.PAUSED]
    assert checked.derived(events) == checked.State(None, None, new.paused_at)
    consents.resume(consent=new, **stamp(world.her))
    assert how(world, new) == Standing.IN_FORCE


def test_what_has_ended_is_not_made_smaller_and_the_stale_form_changes_nothing():
    world = build()
    consent = world.withdraw(world.give())
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        narrow(world, consent, categories=world.categories[:1])
    assert refusal.value.code == "already_ended"


def test_no_paper_signed_before_it_takes_its_place():
    world = build()
    narrow(world, world.give(), categories=world.categories[:1])
    with nothing_happens(world), pytest.raises(Refused) as refusal:
        world.give(signed_at=timezone.now() - timedelta(hours=2))
    assert "older_than_no" in [each.code for each in refusal.value.problems]


# --- invalidate -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Invalidity)
def test_a_yes_that_never_counted_ends_at_once_and_says_why(reason):
    world = build()
    consent, last = world.give(), last_entry()
    found = consents.invalidate(consent=consent, reason=reason, **stamp(world.advocate))
    assert (found.ending, found.invalidation.reason) == (Ending.INVALIDATED, reason)
    assert how(world, consent) == Standing.WITHDRAWN
    (entry,) = entries_after(last)
    assert entry.type == EntryType.CONSENT_INVALIDATED
    assert ScopeMove.objects.get().act == Narrowing.CONSENT_INVALIDATED
    assert KeptNo.objects.get().act == Narrowing.CONSENT_INVALIDATED


def test_what_was_found_not_to_count_lets_nothing_older_in():
    world = build()
    consent = world.give()
    ended = consents.invalidate(
        consent=consent, reason=Invalidity.NOT_FREE, **stamp(world.advocate)
    ).ended_at
    noes = latest.noes(slots=[world.hers.slot], recipient=world.recipient, purpose=world.purpose)
    assert noes[world.hers.slot] == ended
    with pytest.raises(RuleBroken) as refusal:
        consents.invalidate(consent=consent, reason=Invalidity.NOT_FREE, **stamp(world.advocate))
    assert refusal.value.code == "already_ended"
