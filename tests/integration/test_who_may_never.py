"""Who may never speak for a person, and what waits or ends where that is disputed or she has died."""

import json

import pytest
from django.utils import timezone

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from consent.actions import (
    deaths,
    disputes,
    flags,
    imports,
    speaking_again,
)
from consent.models import Consent, Death, Invalidation, Representative
from consent.queries import speaking
from consent.vocabulary import (
    Assent,
    Ending,
    Invalidity,
    ProposalState,
    Speaker,
    Standing,
    Threat,
)
from governance.actions import scopes
from governance.models import KeptNo
from governance.queries.scopes import epochs
from governance.storage import unpacked
from governance.vocabulary import Narrowing, Role
from tests import speaking as said
from tests.gate import before
from tests.integration.consent_world import build, entries_after, last_entry, stamp, worker
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
from tests.integration.test_consent_import import lines, paper

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
    waits = waiting(world)
    said.died(world.holder, HER, **hand(world))
    waits.refresh_from_db()
    assert waits.state == ProposalState.CANCELLED
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


# --- papers, many at once


def brought(world, **cells):
    whole = {"holder": world.holder, "lines": lines([paper(world, "A-17", **cells)])}
    return imports.consents(**whole, most_bad=1, **hand(world))


BARRED = {
    "signer_not_her": (lambda w: None, {"signer": "guardian", "authority": "an order"}),
    "minor_not_alone": (lambda w: minor(w), {}),
    "died": (lambda w: said.died(w.holder, HER, **hand(w)), {}),
}


@pytest.mark.parametrize("code", BARRED)
def test_a_paper_that_she_could_not_sign_alone_is_not_imported(world, code):
    first, cells = BARRED[code]
    first(world)
    done = brought(world, **cells)
    assert done.recorded == 0
    assert code in {each.code for each in done.rejected}
    assert not Consent.objects.filter(ended_at=None).exists()


def test_a_minor_who_decides_alone_signs_papers_alone(world):
    minor(world, alone=True)
    assert brought(world).recorded == 1


def test_what_is_written_down_while_papers_are_judged_counts_for_them(world, monkeypatch):
    before(monkeypatch, imports, "made_ready", lambda: minor(world))
    with pytest.raises(BadInput) as refused:
        brought(world)
    assert refused.value.code == "changed_meanwhile"
    assert not Consent.objects.exists()


# --- after a restore


def told(world, what):
    """What the file of noes was told last."""
    kept = [json.loads(unpacked(bytes(each.facts))) for each in KeptNo.objects.order_by("pk")]
    return next(each for no in kept[::-1] for each in no["told"] if each["what"] == what)


@pytest.mark.parametrize(
    ("what", "deed"),
    [
        ("minor", lambda w: minor(w)),
        ("flagged", lambda w: said.flag(w.holder, HER, **hand(w))),
        ("disputed", lambda w: said.dispute(w.holder, HER, **hand(w))),
        ("died", lambda w: said.died(w.holder, HER, **hand(w))),
    ],
)
def test_what_is_known_here_is_not_said_again(world, what, deed):
    deed(world)
    assert not again(world, told(world, what))


def again(world, no):
    with scopes.narrowing(
        act=Narrowing.DEATH_RECORDED, everyone=True, slots=[world.hers.slot]
    ) as moment:
        by = {"by": world.advocate, "via": Via.COMMAND, "moment": moment}
        return speaking_again.repeat(no, world.hers, by)


def test_a_death_that_two_had_said_counts_again_where_only_one_had(world):
    mine = world.give()
    waits = deaths.report(holder=world.holder, number=HER, **hand(world))
    no = {"what": "died", "ref": "dth-2222222222222"}
    assert again(world, no)
    assert speaking.person(world.hers).died_at is not None
    assert how(world, mine) == Standing.WITHDRAWN
    waits.refresh_from_db()
    assert waits.taken_back_at is not None
    assert not again(world, no)


def test_a_death_whose_second_hand_was_forgotten_counts_under_its_own_reference(world):
    waits = deaths.report(holder=world.holder, number=HER, **hand(world))
    assert again(world, {"what": "died", "ref": waits.ref})
    assert Death.objects.get(counts_at__isnull=False).subject == world.hers
