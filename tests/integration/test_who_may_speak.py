"""Who may say yes for a person, who may never, and what ends because of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.vocabulary import EntryType
from common.errors import BadInput, NotPermitted
from consent.actions import (
    consents,
    flags,
    minorities,
    proposals,
    representatives,
)
from consent.models import Consent, Proposal, Representative, Spoken
from consent.queries import proposals as asks
from consent.queries import speaking
from consent.vocabulary import (
    Assent,
    Paper,
    ProposalState,
    Signer,
    Speaker,
    Standing,
    Threat,
)
from governance.queries.scopes import epochs
from tests import speaking as said
from tests.integration.consent_world import build, days, entries_after, last_entry, stamp
from tests.integration.speaking_world import (
    HER,
    given_for,
    hand,
    how,
    minor,
    refusal,
    speaker,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return build()


# --- representatives


def test_one_parents_yes_and_her_own_come_into_force_and_say_by_which_authority(world):
    last = last_entry()
    consent = given_for(world)
    spoken = Spoken.objects.get()
    assert (spoken.consent, spoken.assent) == (consent, Assent.SIGNED)
    assert consent.authority == spoken.representative.ref
    assert how(world, consent) == Standing.IN_FORCE
    assert [each.type for each in entries_after(last)] == [
        EntryType.MINORITY_RECORDED,
        EntryType.SPEAKER_RECORDED,
        EntryType.CONSENT_GIVEN,
    ]


def test_without_an_end_it_ends_with_the_authority_of_who_gave_it(world):
    authority = speaker(world, Speaker.GUARDIAN, ends=world.now + days(9))
    consent = world.give(**said.by(authority), ends=None)
    assert consent.ends == authority.ends


def test_at_the_end_of_the_authority_it_permits_no_more(world):
    consent = given_for(world, Speaker.GUARDIAN)
    ends = world.now + days(5)
    # Two rows as no deed leaves them: the yes would go on, the authority does not.
    other = Representative.objects.create(
        **{
            **{
                name: getattr(Spoken.objects.get().representative, name)
                for name in ("subject", "kind", "paper", "entry", "starts", "recorded_by")
            },
            "who": "7" * 64,
            "ends": ends,
            "recorded_at": world.now,
        }
    )
    late = world.give(**said.by(other), purpose=world.other_purpose, ends=ends)
    assert how(world, consent, ends) == Standing.IN_FORCE
    assert how(world, late, ends - timedelta(seconds=1)) == Standing.IN_FORCE
    assert how(world, late, ends) == Standing.EXPIRED


def test_ended_by_hand_every_yes_of_his_ends_at_once(world):
    consent = given_for(world, Speaker.GUARDIAN)
    mine = world.give(purpose=world.other_purpose)
    before = epochs(world.recipient.pk)
    representatives.end(representative=Representative.objects.get(), **hand(world))
    assert epochs(world.recipient.pk).everyone == before.everyone + 1
    assert (how(world, consent), how(world, mine)) == (Standing.WITHDRAWN, Standing.IN_FORCE)
    refusal(
        world,
        lambda: representatives.end(representative=Representative.objects.get(), **hand(world)),
        "already_ended",
    )
    refusal(world, lambda: world.give(**said.by(Representative.objects.get())), "authority_over")


def test_a_guardians_yes_needs_a_recorded_guardian_of_this_very_person(world):
    refusal(
        world,
        lambda: world.give(signer=Signer.GUARDIAN, authority="order in folder 7"),
        "representative_missing",
    )
    authority = said.speaker(world.holder, "A-18", Speaker.GUARDIAN, **hand(world))
    refusal(world, lambda: world.give(**said.by(authority)), "representative_missing")
    refusal(
        world,
        lambda: world.give(**{**said.by(authority), "signer": Signer.SELF}),
        "representative_missing",
    )


def test_nobody_of_the_recipient_says_yes_for_her(world):
    authority = speaker(world, Speaker.GUARDIAN, works_for=world.recipient)
    refusal(world, lambda: world.give(**said.by(authority)), "signer_from_recipient")
    assert world.give(**said.by(authority), recipient=world.police)


def test_a_smaller_yes_in_place_of_his_is_still_his(world):
    consent = given_for(world, Speaker.GUARDIAN)
    smaller = consents.narrow(consent=consent, categories=world.categories[:1], **hand(world))
    assert how(world, smaller) == Standing.IN_FORCE
    assert {each.consent for each in Spoken.objects.all()} == {consent, smaller}


BAD = {
    "authority_in_past": lambda w: {"ends": w.now - days(1)},
    "guardian_by_order": lambda w: {"kind": Speaker.GUARDIAN, "paper": Paper.BIRTH},
    "document": lambda w: {"document": "x" * 64},
}


@pytest.mark.parametrize("code", BAD)
def test_what_lets_somebody_speak_is_whole(world, code):
    minor(world)
    with pytest.raises(BadInput) as refused:
        speaker(world, **BAD[code](world))
    assert refused.value.code == code


def test_only_an_advocate_of_her_holder_records_who_speaks_for_her(world):
    minor(world)
    authority = speaker(world)
    for who in (world.her, world.steward, world.recipient_staff, world.lake_advocate):
        for deed in (
            lambda by: speaker(world, who="Another", **stamp(by)),
            lambda by: minor(world, **stamp(by)),
            lambda by: representatives.end(representative=authority, **stamp(by)),
            lambda by: representatives.stop(representative=authority, **stamp(by)),
            lambda by: flags.put(representative=authority, threat=Threat.ABUSER, **stamp(by)),
            lambda by: said.flag(world.holder, HER, **stamp(by)),
            lambda by: said.dispute(world.holder, HER, **stamp(by)),
            lambda by: said.died(world.holder, HER, **stamp(by)),
        ):
            with pytest.raises(NotPermitted):
                deed(who)


# --- minors


def test_a_minor_alone_is_not_enough_where_she_does_not_decide_alone(world):
    minor(world)
    refusal(world, lambda: world.give(), "minor_not_alone")
    refusal(world, lambda: world.give(by=world.her), "minor_not_alone")


def test_a_minor_who_decides_alone_says_yes_alone_and_nobody_for_her(world):
    minor(world, alone=True)
    assert how(world, world.give()) == Standing.IN_FORCE
    refusal(world, lambda: speaker(world), "decides_alone")


def test_once_she_is_known_as_a_minor_her_own_yes_has_ended_and_the_police_get_none_that_waits(
    world,
):
    mine, waits = world.give(), waiting(world)
    minor(world)
    assert how(world, mine) == Standing.WITHDRAWN
    waits.refresh_from_db()
    assert waits.state == ProposalState.CANCELLED


def test_once_she_is_known_to_decide_alone_what_others_gave_has_ended(world):
    consent = given_for(world)
    minor(world, alone=True)
    assert how(world, consent) == Standing.WITHDRAWN
    assert speaking.person(world.hers).alone
    assert not speaking.speakers(timezone.now()).exists()


def test_no_authority_outlasts_the_day_she_comes_of_age_whichever_was_known_first(world):
    first = speaker(world, Speaker.GUARDIAN)
    consent = world.give(**said.by(first))
    minority = minor(world, days=20)
    assert how(world, consent) == Standing.WITHDRAWN
    again = speaker(world, Speaker.GUARDIAN)
    assert again.ends == speaking.person(world.hers).minor_until
    assert again.ends.date() == minority.majority


def test_she_stops_what_a_parent_gave_and_a_parent_stops_it_too(world):
    consent = given_for(world)
    consents.withdraw(consent=consent, **stamp(world.her))
    assert how(world, consent) == Standing.WITHDRAWN
    authority = Representative.objects.get()
    again = world.give(**said.by(authority), signed_at=timezone.now())
    other = speaker(world, who="The other parent")
    representatives.stop(representative=other, recipient=world.recipient, **hand(world))
    assert how(world, again) == Standing.WITHDRAWN
    refusal(world, lambda: world.give(**said.by(authority)), "older_than_no")


def test_a_parents_no_ends_nothing_that_she_decided_alone(world):
    mine = world.give()
    authority = speaker(world, Speaker.GUARDIAN)
    theirs = world.give(**said.by(authority), purpose=world.other_purpose)
    representatives.stop(representative=authority, **hand(world))
    assert (how(world, mine), how(world, theirs)) == (Standing.IN_FORCE, Standing.WITHDRAWN)


def test_at_majority_she_is_asked_afresh_once(world):
    minor(world, days=10)
    consent = world.give(**said.by(speaker(world)), ends=None)
    of_age = speaking.person(world.hers).minor_until
    assert consent.ends == of_age
    assert how(world, consent, of_age - timedelta(seconds=1)) == Standing.IN_FORCE
    assert how(world, consent, of_age) == Standing.EXPIRED
    assert proposals.ask_renewals(at=of_age - timedelta(seconds=1)) == 0
    assert proposals.ask_renewals(at=of_age) == 1
    assert proposals.ask_renewals(at=of_age) == 0
    asked = Proposal.objects.get()
    assert (asked.subject, asked.renews, asked.asked_by) == (world.hers, consent, None)
    assert [each.ref for each in asks.of(world.her, of_age)] == [asked.ref]
    proposals.answer(
        proposal=asked,
        categories=world.categories,
        signature="amber-willow-41",
        answers="yyyyyyy",
        channel="portal",
        **{**stamp(world.her), "at": of_age + timedelta(hours=1)},
    )
    mine = Consent.objects.get(signer=Signer.SELF)
    assert how(world, mine, of_age + timedelta(hours=2)) == Standing.IN_FORCE


def test_a_day_that_is_past_makes_no_minor(world):
    with pytest.raises(BadInput) as refused:
        minorities.record(
            holder=world.holder,
            number=HER,
            majority=said.in_days(0),
            alone=False,
            **hand(world),
        )
    assert refused.value.code == "majority_in_past"
