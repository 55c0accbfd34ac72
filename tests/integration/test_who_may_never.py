"""Who may never speak for a person, and what waits or ends where that is disputed or she has died."""

import pytest
from django.utils import timezone

from audit.vocabulary import EntryType
from common.errors import RuleBroken
from consent.actions import (
    deaths,
    disputes,
    flags,
)
from consent.models import Invalidation, Representative
from consent.queries import speaking
from consent.vocabulary import (
    Assent,
    Ending,
    Invalidity,
    Speaker,
    Standing,
    Threat,
)
from governance.queries.scopes import epochs
from governance.vocabulary import Role
from tests import speaking as said
from tests.integration.consent_world import build, entries_after, last_entry, stamp, worker
from tests.integration.speaking_world import HER, given_for, hand, how, minor, refusal, speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return build()


# --- who may never


def test_whoever_is_flagged_gave_nothing_and_gives_nothing_and_the_try_is_written_down(world):
    consent = given_for(world)
    authority = Representative.objects.get()
    flags.put(representative=authority, threat=Threat.OF_PARENT, **hand(world))
    consent.refresh_from_db()
    assert consent.ending == Ending.INVALIDATED
    assert Invalidation.objects.get().reason == Invalidity.NOT_ENTITLED
    last = last_entry()
    with pytest.raises(RuleBroken) as refused:
        world.give(**said.by(authority), signed_at=timezone.now())
    assert (refused.value.code, str(refused.value)) == (
        "may_not_speak",
        "This person cannot say yes here.",
    )
    assert [each.type for each in entries_after(last)] == [EntryType.SPEAKER_REFUSED]
    refusal(
        world,
        lambda: flags.put(representative=authority, threat=Threat.ABUSER, **hand(world)),
        "flagged_already",
    )


def test_whoever_is_flagged_by_name_is_known_again_however_it_is_spelled(world):
    minor(world)
    said.flag(world.holder, HER, who="  heron   7 ", **hand(world))
    last = last_entry()
    refusal(world, lambda: speaker(world, who="HERON 7"), "may_not_speak")
    assert [each.type for each in entries_after(last)] == [EntryType.SPEAKER_REFUSED]
    assert not Representative.objects.exists()
    assert speaker(world, who="Heron 8")


def test_a_flag_about_one_person_says_nothing_about_another(world):
    said.flag(world.holder, HER, **hand(world))
    assert said.speaker(world.holder, "A-18", Speaker.GUARDIAN, **hand(world))


# --- disputes


def test_while_it_is_disputed_what_others_gave_waits_and_her_own_does_not(world):
    consent = given_for(world, Speaker.GUARDIAN)
    mine = world.give(purpose=world.other_purpose)
    before = epochs(world.recipient.pk)
    dispute = said.dispute(world.holder, HER, **hand(world))
    assert epochs(world.recipient.pk).everyone == before.everyone + 1
    assert (how(world, consent), how(world, mine)) == (Standing.PAUSED, Standing.IN_FORCE)
    refusal(
        world,
        lambda: world.give(**said.by(Representative.objects.get()), recipient=world.police),
        "disputed",
    )
    refusal(world, lambda: said.dispute(world.holder, HER, **hand(world)), "disputed_already")
    disputes.resolve(dispute=dispute, **hand(world))
    assert how(world, consent) == Standing.IN_FORCE
    refusal(world, lambda: disputes.resolve(dispute=dispute, **hand(world)), "resolved_already")


# --- death


def second(world):
    return stamp(worker("river-alder-9", world.holder, Role.ADVOCATE))


def test_two_people_or_one_with_the_paper_say_that_she_died_and_every_yes_has_ended(world):
    mine, theirs = (
        world.give(),
        world.give(**said.by(speaker(world, Speaker.GUARDIAN)), purpose=world.other_purpose),
    )
    death = deaths.report(holder=world.holder, number=HER, **hand(world))
    assert how(world, mine) == Standing.IN_FORCE
    other = second(world)
    refusal(world, lambda: deaths.agree(death=death, number=HER, **hand(world)), "second_person")
    refusal(world, lambda: deaths.agree(death=death, number="A-18", **other), "number_other")
    deaths.agree(death=death, number=HER, **other)
    assert (how(world, mine), how(world, theirs)) == (Standing.WITHDRAWN, Standing.WITHDRAWN)
    assert not speaking.speakers(timezone.now()).exists()
    refusal(world, lambda: deaths.agree(death=death, number=HER, **other), "already_agreed")
    refusal(
        world,
        lambda: deaths.report(holder=world.holder, number=HER, **hand(world)),
        "reported_already",
    )


def test_after_it_only_who_settles_what_she_left_says_yes_for_one_case(world):
    refusal(world, lambda: speaker(world, Speaker.ESTATE), "not_died")
    said.died(world.holder, HER, **hand(world))
    refusal(world, lambda: world.give(signed_at=timezone.now()), "died")
    refusal(world, lambda: speaker(world, Speaker.GUARDIAN), "died")
    estate = speaker(world, Speaker.ESTATE, who="The estate")
    refusal(world, lambda: world.give(**said.by(estate, Assent.DIED)), "died")
    consent = world.give(**said.by(estate, Assent.DIED), signed_at=timezone.now())
    assert how(world, consent) == Standing.IN_FORCE


def test_taken_back_nothing_comes_back_and_she_is_asked_anew(world):
    mine = world.give()
    death = said.died(world.holder, HER, **hand(world))
    deaths.take_back(death=death, **hand(world))
    assert how(world, mine) == Standing.WITHDRAWN
    assert how(world, world.give(signed_at=timezone.now())) == Standing.IN_FORCE
    refusal(world, lambda: deaths.take_back(death=death, **hand(world)), "taken_back")
    refusal(world, lambda: deaths.agree(death=death, number=HER, **second(world)), "taken_back")
