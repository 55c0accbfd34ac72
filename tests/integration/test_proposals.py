"""An ask for a yes: what becomes of it, who may answer, and the wait before it counts (ADR 23)."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from consent.actions import consents, liftings, objections, proposals, stops
from consent.actions.giving import Refused
from consent.models import Consent, Proposal, ProposalStep
from consent.queries import proposals as asks
from consent.queries import sharing
from consent.vocabulary import Channel, Happening, ProposalState, Standing
from governance.vocabulary import OrganisationKind
from tests.factories import governance as made
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

WAIT = timedelta(hours=24)
SECOND = timedelta(seconds=1)


def asked(world, **changes):
    given = {
        "subject": world.hers,
        "recipient": world.recipient,
        "purpose": world.purpose,
        "categories": world.categories,
        "terms": world.terms,
        **stamp(world.advocate),
    }
    return proposals.ask(**{**given, **changes})


def answered(world, proposal, by=None, **changes):
    given = {
        "proposal": proposal,
        "categories": world.categories,
        "signature": "amber-willow-41",
        "answers": "yyyyyyy",
        "channel": Channel.PORTAL,
        **stamp(by or world.her),
    }
    return proposals.answer(**{**given, **changes})


def cautious(world, **changes):
    """A first yes to the police, signed and waiting."""
    return answered(world, asked(world, recipient=world.police), lawyer_offered=True, **changes)


def settle(at):
    return proposals.settle_due(at=at)


def running(world, recipient=None):
    return Consent.objects.get(
        subject=world.hers, recipient=recipient or world.recipient, ended_at__isnull=True
    )


def standing(world, recipient=None, at=None):
    found = sharing.one(world.her, running(world, recipient).ref, at or timezone.now())
    return found.standing


def turns(proposal):
    return list(proposal.steps.order_by("pk").values_list("turn", flat=True))


# --- ask ------------------------------------------------------------------------------------------


def test_an_ask_says_who_what_why_and_how_long_and_shares_nothing():
    world = build()
    last = last_entry()
    proposal = asked(world, days=30)
    assert proposal.state == ProposalState.OPEN
    assert proposal.answer_by - proposal.asked_at == days(settings.ASK_DAYS)
    assert {item.category for item in proposal.items.all()} == set(world.categories)
    (entry,) = entries_after(last)
    assert (entry.type, entry.actor) == (EntryType.CONSENT_REQUESTED, world.advocate.ref)
    assert entry.resource == her_tag(world.hers, entry).hex()
    assert not Consent.objects.exists()


def test_without_a_length_it_is_ninety_days_or_the_purposes_longest_r4():
    world = build()
    assert asked(world).days == 90
    short = made.purpose(longest_days=30)
    assert asked(world, purpose=short).days == 30


@pytest.mark.parametrize("who", ["steward", "lake_advocate", "recipient_staff", "her", "stranger"])
def test_only_the_holders_advocate_asks(who):
    world = build()
    with nothing_happens(world), pytest.raises(NotPermitted):
        asked(world, by=getattr(world, who))


def test_nobody_of_the_recipient_asks_for_a_yes_to_it():
    world = build()
    made.membership(user=world.advocate, organisation=world.recipient, role="steward")
    with nothing_happens(world), pytest.raises(NotPermitted) as refusal:
        asked(world)
    assert refusal.value.code == "from_recipient"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda w: {"categories": []}, "no_categories"),
        (lambda w: {"days": 91}, "too_long"),
        (lambda w: {"recipient": w.holder}, "holder_is_recipient"),
    ],
)
def test_what_could_never_become_a_yes_is_not_asked(change, code):
    world = build()
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        asked(world, **change(world))
    assert refusal.value.code == code


# --- answer ---------------------------------------------------------------------------------------


def test_a_yes_to_some_of_it_counts_at_once_and_to_nothing_else():
    world = build()
    proposal = answered(world, asked(world), categories=world.categories[:1])
    assert proposal.state == ProposalState.GIVEN
    consent = running(world)
    assert proposal.consent == consent
    assert standing(world) == Standing.IN_FORCE
    assert asks.categories_of(consent.category_set_id) == world.categories[:1]
    assert consent.ends == consent.signed_at + days(90)
    assert turns(proposal) == ["asked", "signed", "given"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda w: {"categories": []}, "missing_categories"),
        (lambda w: {"answers": "yyyyyyn"}, "missing_answers"),
        (lambda w: {"categories": [made.category(code="more")]}, "not_asked"),
        (lambda w: {"ends": timezone.now() + days(91)}, "longer_than_asked"),
        (lambda w: {"ends": timezone.now() - days(1)}, "ends_before_start"),
    ],
)
def test_silence_is_a_no_and_nothing_is_answered_that_was_not_asked(change, code):
    world = build()
    proposal = asked(world)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        answered(world, proposal, **change(world))
    assert refusal.value.code == code


def test_she_may_choose_an_earlier_end():
    world = build()
    ends = timezone.now() + days(10)
    answered(world, asked(world), ends=ends)
    assert running(world).ends == ends


@pytest.mark.parametrize("deed", ["answer", "refuse", "defer", "cancel", "waive"])
@pytest.mark.parametrize("who", ["steward", "lake_advocate", "recipient_staff", "stranger"])
def test_nobody_else_answers_for_her(deed, who):
    world = build()
    proposal = cautious(world) if deed in {"waive", "cancel"} else asked(world)
    by = getattr(world, who)
    given = {"proposal": proposal, **stamp(by)}
    say = (
        (lambda: answered(world, proposal, by=by))
        if deed == "answer"
        else (lambda: getattr(proposals, deed)(**given))
    )
    with nothing_happens(world), pytest.raises(NotPermitted):
        say()


@pytest.mark.parametrize("first", ["answer", "refuse"])
@pytest.mark.parametrize("then", ["answer", "refuse", "defer", "cancel"])
def test_an_ask_is_answered_once(first, then):
    world = build()
    proposal = asked(world)

    def do(what):
        if what == "answer":
            return answered(world, proposal)
        return getattr(proposals, what)(proposal=proposal, **stamp(world.her))

    do(first)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        do(then)
    assert refusal.value.code == "answered"


def test_an_ask_runs_out_at_its_day_and_not_a_second_before():
    world = build()
    proposal = asked(world)
    proposals.defer(proposal=proposal, **stamp(world.her))
    assert settle(proposal.answer_by - SECOND) == 0
    with pytest.raises(RuleBroken) as refusal:
        answered(world, proposal, at=proposal.answer_by)
    assert refusal.value.code == "ran_out"
    assert settle(proposal.answer_by) == 1
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.LAPSED
    assert turns(proposal) == ["asked", "deferred", "lapsed"]
    assert settle(proposal.answer_by) == 0


# --- R10: a refusal is hers -----------------------------------------------------------------------


def test_a_refusal_looks_like_silence_to_whoever_asked_r10():
    world = build()
    silent = asked(world, purpose=world.other_purpose)
    refused = asked(world)
    last = last_entry()
    proposals.refuse(proposal=refused, **stamp(world.her))
    (entry,) = entries_after(last)
    assert (entry.type, entry.actor, entry.purpose) == (EntryType.CONSENT_REFUSED, "person", "")
    told = []
    for proposal in (silent, refused):
        with pytest.raises(RuleBroken) as refusal:
            asked(world, purpose=proposal.purpose)
        told.append((refusal.value.code, refusal.value.message))
    assert told[0] == told[1]


def test_after_the_time_to_answer_she_can_be_asked_anew():
    world = build()
    refused = proposals.refuse(proposal=asked(world), **stamp(world.her))
    later = refused.answer_by + SECOND
    assert asked(world, at=later).state == ProposalState.OPEN


# --- the wait -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OrganisationKind)
def test_a_first_yes_waits_only_where_it_is_to_police_prosecutor_or_immigration(kind):
    world = build()
    recipient = made.organisation(kind=kind)
    proposal = answered(world, asked(world, recipient=recipient), lawyer_offered=True)
    waits = kind in {"police", "prosecutor", "immigration"}
    assert (proposal.state == ProposalState.WAITING) == waits
    assert proposal.takes_effect_at - proposal.signed_at == (WAIT if waits else timedelta())
    assert Consent.objects.exists() != waits


def test_a_lawyer_is_offered_first_where_the_police_are_asked_for():
    world = build()
    proposal = asked(world, recipient=world.police)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        answered(world, proposal)
    assert refusal.value.code == "lawyer_first"


def test_it_counts_at_the_end_of_its_wait_and_not_a_second_before():
    world = build()
    proposal = cautious(world)
    due = proposal.takes_effect_at
    assert settle(due - SECOND) == 0
    assert not Consent.objects.exists()
    assert settle(due) == 1
    consent = running(world, world.police)
    assert (consent.starts, consent.signed_at) == (due, proposal.signed_at)
    assert standing(world, world.police, due - SECOND) == Standing.NOT_STARTED
    assert standing(world, world.police, due) == Standing.IN_FORCE
    assert settle(due + WAIT) == 0  # twice is harmless
    assert turns(proposal) == ["asked", "signed", "given"]


def test_a_late_clock_changes_nothing_about_it():
    world = build()
    proposal = cautious(world)
    assert settle(proposal.takes_effect_at + days(20)) == 1
    assert running(world, world.police).starts == proposal.takes_effect_at


def test_a_clock_that_comes_after_its_end_finds_it_past():
    world = build()
    proposal = cautious(world, ends=timezone.now() + days(2))
    assert settle(proposal.ends) == 1
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.GIVEN
    assert standing(world, world.police, proposal.ends) == Standing.EXPIRED


def test_only_she_herself_starts_it_sooner():
    world = build()
    proposal = cautious(world)
    with nothing_happens(world), pytest.raises(NotPermitted) as refusal:
        proposals.waive(proposal=proposal, **stamp(world.advocate))
    assert refusal.value.code == "only_herself"
    waived = proposals.waive(proposal=proposal, **stamp(world.her))
    assert standing(world, world.police) == Standing.IN_FORCE
    assert turns(waived) == ["asked", "signed", "waived", "given"]
    with pytest.raises(RuleBroken):
        proposals.waive(proposal=proposal, **stamp(world.her))


def test_what_she_takes_back_while_it_waits_never_counts():
    world = build()
    proposal = cautious(world)
    proposals.cancel(proposal=proposal, **stamp(world.her))
    assert settle(proposal.takes_effect_at) == 0
    assert not Consent.objects.exists()


NOES = {
    "an objection to them": lambda w: w.object(recipient=w.police),
    "an objection to their kind": lambda w: w.object(recipient_kind=OrganisationKind.POLICE),
    "an objection to the purpose": lambda w: w.object(purpose=w.purpose),
    "an objection to one kind of information": lambda w: w.object(category=w.categories[0]),
    "a freeze": lambda w: w.object(),
    "an objection said elsewhere": lambda w: objections.make(subject=w.elsewhere, **stamp(w.her)),
    "a stop aloud": lambda w: stops.record(holder=w.holder, number="A-17", **stamp(w.advocate)),
}


@pytest.mark.parametrize("no", NOES)
def test_a_no_takes_back_what_waits(no):
    world = build()
    proposal = cautious(world)
    NOES[no](world)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.CANCELLED
    assert settle(proposal.takes_effect_at) == 0


def test_a_no_to_something_else_leaves_it_waiting():
    world = build()
    proposal = cautious(world)
    world.object(recipient=world.lake)
    world.object(purpose=world.other_purpose)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.WAITING


# --- widening -------------------------------------------------------------------------------------


def test_a_wider_yes_waits_while_the_smaller_one_goes_on():
    world = build()
    world.give(categories=world.categories[:1])
    small = running(world)
    proposal = answered(world, asked(world))
    assert proposal.state == ProposalState.WAITING
    assert (running(world), standing(world)) == (small, Standing.IN_FORCE)
    assert settle(proposal.takes_effect_at) == 1
    assert running(world) != small
    assert asks.categories_of(running(world).category_set_id) == world.categories


def test_a_yes_that_lets_less_go_counts_at_once():
    world = build()
    old = world.give()
    answered(
        world,
        asked(world),
        categories=world.categories[:1],
        ends=old.ends - days(1),
        record_until=old.record_until,
    )
    assert asks.categories_of(running(world).category_set_id) == world.categories[:1]


def test_stopping_the_smaller_one_takes_the_wider_one_back():
    world = build()
    small = world.give(categories=world.categories[:1])
    proposal = answered(world, asked(world))
    world.withdraw(small)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.CANCELLED


def test_no_other_door_widens_at_once_r20():
    world = build()
    world.give(categories=world.categories[:1])
    with nothing_happens(world), pytest.raises(Refused) as refusal:
        world.give(signed_at=timezone.now())
    assert refusal.value.code == "has_to_wait"


def test_a_first_yes_to_the_police_starts_later_at_every_door():
    world = build()
    signed = timezone.now()
    consent = world.give(recipient=world.police, signed_at=signed)
    assert consent.starts == signed + WAIT
    assert standing(world, world.police) == Standing.NOT_STARTED


# --- renewal --------------------------------------------------------------------------------------


def ending(world):
    return world.give(ends=world.now + days(15))


def test_she_is_asked_once_whether_it_shall_go_on():
    world = build()
    consent = ending(world)
    soon = consent.ends - days(5)
    assert proposals.ask_renewals(at=consent.ends - days(6)) == 0  # not in the last third yet
    assert proposals.ask_renewals(at=soon) == 1
    proposal = Proposal.objects.get()
    assert (proposal.renews, proposal.answer_by) == (consent, consent.ends)
    assert proposals.ask_renewals(at=soon) == 0
    proposals.refuse(proposal=proposal, by=world.her, at=soon, via=Via.PORTAL)
    assert proposals.ask_renewals(at=soon) == 0


def test_silence_ends_it():
    world = build()
    consent = ending(world)
    proposals.ask_renewals(at=consent.ends - days(2))
    assert settle(consent.ends) == 1
    assert standing(world, at=consent.ends - SECOND) == Standing.IN_FORCE
    assert standing(world, at=consent.ends) == Standing.EXPIRED


def test_a_yes_said_again_takes_the_place_of_the_first():
    world = build()
    consent = ending(world)
    soon = consent.ends - days(3)
    proposals.ask_renewals(at=soon)
    signed = answered(world, Proposal.objects.get(), at=soon)
    assert settle(signed.takes_effect_at) == 1
    again = running(world)
    assert again.ends == soon + days(16)
    (event,) = again.events.all()
    assert event.happening == Happening.RENEWED
    consent.refresh_from_db()
    assert consent.ending == "superseded"


def test_what_is_paused_or_has_nobody_signing_in_is_not_asked_about():
    world = build()
    consent = ending(world)
    consents.pause(consent=consent, **stamp(world.her))
    assert proposals.ask_renewals(at=consent.ends - days(2)) == 0


# --- lifting --------------------------------------------------------------------------------------


def test_taking_a_no_back_waits_and_counts_at_its_time():
    world = build()
    world.give()
    objection = world.object()
    lifting = liftings.ask(objection=objection, **stamp(world.advocate))
    assert liftings.settle_due(at=lifting.due_at - SECOND) == 0
    assert standing(world) == Standing.OBJECTED
    assert liftings.settle_due(at=lifting.due_at) == 1
    assert standing(world) == Standing.IN_FORCE
    assert liftings.settle_due(at=lifting.due_at) == 0


def test_she_alone_starts_it_sooner_and_wherever_she_is_known():
    world = build()
    objection = world.object()
    lifting = liftings.ask(objection=objection, **stamp(world.her))
    with nothing_happens(world), pytest.raises(NotPermitted):
        liftings.waive(lifting=lifting, **stamp(world.advocate))
    liftings.waive(lifting=lifting, **stamp(world.her))
    assert not world.hers.objections.filter(lifted_at__isnull=True).exists()
    assert not world.elsewhere.objections.filter(lifted_at__isnull=True).exists()


def test_an_advocates_lifting_is_about_their_own_client_alone():
    world = build()
    lifting = liftings.ask(objection=world.object(), **stamp(world.advocate))
    liftings.settle_due(at=lifting.due_at)
    assert not world.hers.objections.filter(lifted_at__isnull=True).exists()
    assert world.elsewhere.objections.filter(lifted_at__isnull=True).exists()


def test_a_no_that_is_kept_after_all_stays():
    world = build()
    lifting = liftings.ask(objection=world.object(), **stamp(world.her))
    liftings.cancel(lifting=lifting, **stamp(world.her))
    assert liftings.settle_due(at=lifting.due_at) == 0
    assert world.hers.objections.filter(lifted_at__isnull=True).exists()
    assert world.elsewhere.objections.filter(lifted_at__isnull=True).exists()


def test_every_step_has_its_entry_and_the_entry_names_nobody():
    world = build()
    cautious(world)
    for step in ProposalStep.objects.select_related("entry"):
        assert Entry.objects.filter(pk=step.entry_id).exists()
        assert world.her.ref.encode() not in bytes(step.entry.leaf)
