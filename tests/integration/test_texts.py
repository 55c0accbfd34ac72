"""A consent text is published in parts and in both languages; a newer one takes its place."""

from hashlib import sha256

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import timezone

from audit.vocabulary import EntryType
from common.days import day_of
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken
from consent.actions import afresh, proposals
from consent.actions.giving import Refused
from consent.actions.terms import NotPublished
from consent.models import Consent, Proposal, Terms, TermsPart
from consent.queries import keys, receipts, sharing
from consent.queries import proposals as asks
from consent.queries import texts as known
from consent.rules.reading import measured
from consent.vocabulary import Channel, Ending, Part, ProposalState, Standing
from governance.models import ScopeMove
from governance.queries import noes
from governance.vocabulary import Role
from portal import cards, slips
from portal.places import Places
from portal.words import said
from release.queries import accounting
from tests import texts
from tests.integration.consent_world import (
    build,
    days,
    entries_after,
    last_entry,
    nothing_happens,
    stamp,
    worker,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    found = build()
    found.admin = worker("river-birch-1", found.holder, Role.ADMINISTRATOR)
    found.first = publish(found, at=found.now - days(30))
    return found


def publish(world, **changes):
    given = {"organisation": world.holder, **stamp(world.admin), **changes}
    return texts.publish(code="river-yes", **given)


def newer(world, *, widens=True, **changes):
    """The next version, with another word in it."""
    return publish(world, texts=texts.both(why="They want to know more."), widens=widens, **changes)


# --- publishing -----------------------------------------------------------------------------------


def test_every_part_is_kept_with_how_hard_it_is_and_the_whole_with_its_digest(world):
    text = world.first
    assert text.text == texts.written().whole
    assert text.digest == sha256(text.text.encode()).hexdigest()
    parts = {each.part: each for each in text.parts.all()}
    assert set(parts) == set(Part)
    assert float(parts[Part.WHY].measure) == measured(parts[Part.WHY].text, "en")
    spanish = Terms.objects.get(code="river-yes", language="es")
    assert all(each.measure >= 70 for each in spanish.parts.all())
    assert (text.publisher, text.widens, text.version) == (world.holder, None, 1)


def test_each_language_has_its_entry_which_says_whether_it_lets_more_go(world):
    last = last_entry()
    newer(world, widens=False)
    found = [
        (each.type, each.resource, each.reason, each.detail_commit) for each in entries_after(last)
    ]
    two = {each.language: each for each in Terms.objects.filter(version=2)}
    assert found == [
        (EntryType.TERMS_PUBLISHED, f"river-yes/2/{each}", "same", two[each].digest)
        for each in ("en", "es")
    ]


def test_sent_twice_it_is_published_once(world):
    with nothing_happens(world):
        assert publish(world) == world.first


def test_only_the_day_until_which_it_is_kept_makes_another_version(world):
    text = publish(world, keep_until=day_of(world.now + days(300)))
    assert (text.version, text.keep_until) == (2, day_of(world.now + days(300)))


@pytest.mark.parametrize("who", ["advocate", "steward", "recipient_staff", "her"])
def test_only_an_administrator_publishes(world, who):
    with nothing_happens(world), pytest.raises(NotPermitted):
        newer(world, by=getattr(world, who))


def test_nobody_publishes_the_next_version_of_anothers_text(world):
    other = worker("delta-birch-1", world.recipient, Role.ADMINISTRATOR)
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        newer(world, organisation=world.recipient, by=other)
    assert refusal.value.code == "another_publisher"


def test_what_is_too_hard_or_missing_is_refused_with_every_reason(world):
    hard = "Institutional representatives subsequently coordinate individually identifiable facts."
    spoiled = [
        texts.without(texts.written(risks=hard), Part.STOP),
        texts.written("es"),
    ]
    with nothing_happens(world), pytest.raises(NotPublished) as refusal:
        publish(world, texts=spoiled)
    assert [each.code for each in refusal.value.problems] == ["part_too_hard", "part_missing"]
    assert "What can happen" in str(refusal.value.told)
    assert "How to stop" in str(refusal.value.told)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"keep_until": day_of(timezone.now())}, "keep_in_past"),
        ({"texts": texts.both(why="Because. " * 400)}, "part_too_long"),
        ({"texts": texts.both(title=" ")}, "bad_title"),
    ],
)
def test_a_day_that_is_past_and_a_text_that_does_not_fit_are_refused(world, change, code):
    with nothing_happens(world), pytest.raises(BadInput) as refusal:
        publish(world, **change)
    assert refusal.value.code == code


def test_the_database_lets_nobody_change_a_part_or_what_it_was_marked_as(world):
    newer(world)
    part = TermsPart.objects.first()
    rows = {
        TermsPart.objects.filter(pk=part.pk): {"text": "Something else."},
        Terms.objects.filter(version=2): {"widens": False},
        Terms.objects.filter(pk=world.first.pk): {"publisher": world.recipient},
    }
    for found, change in rows.items():
        with pytest.raises(IntegrityError), transaction.atomic():
            found.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        part.delete()


# --- in use ---------------------------------------------------------------------------------------


def test_people_are_asked_with_the_newest_version_only(world):
    text = newer(world, widens=False)
    at = timezone.now()
    assert text in asks.askable(at).terms
    assert world.first not in asks.askable(at).terms
    with nothing_happens(world), pytest.raises(RuleBroken) as refusal:
        asked(world, world.first)
    assert refusal.value.code == "retired"
    assert asked(world, text).terms == text


def asked(world, text, **changes):
    given = {
        "subject": world.hers,
        "recipient": world.recipient,
        "purpose": world.purpose,
        "categories": world.categories,
        "terms": text,
        **stamp(world.advocate),
    }
    return proposals.ask(**{**given, **changes})


def answered(world, proposal):
    return proposals.answer(
        proposal=proposal,
        categories=world.categories,
        signature="amber-willow-41",
        answers="yyyyyyy",
        channel=Channel.PORTAL,
        lawyer_offered=True,
        **stamp(world.her),
    )


# --- a newer text takes its place ---------------------------------------------------------------------


def test_a_change_that_lets_no_more_go_leaves_every_yes_as_it_is(world):
    consent = world.give(terms=world.first)
    newer(world, widens=False)
    with nothing_happens(world):
        assert afresh.ask_due(at=timezone.now()) == 0
    consent.refresh_from_db()
    assert consent.ended_at is None
    world.withdraw(consent)
    assert world.give(terms=world.first, signed_at=timezone.now()).ended_at is None  # a late paper


def test_where_more_may_go_the_old_yes_ends_and_she_is_asked_afresh_once(world):
    consent = world.give(terms=world.first)
    other = world.give(subject=world.other, terms=world.first)
    apart = world.give(purpose=world.other_purpose)  # to another text
    text = newer(world)
    moves = ScopeMove.objects.filter(slot=world.hers.slot).count()
    assert afresh.ask_due(at=timezone.now()) == 2
    assert afresh.ask_due(at=timezone.now()) == 0
    for each in (consent, other):
        each.refresh_from_db()
        assert each.ending == Ending.SUPERSEDED
        assert list(each.events.order_by("pk").values_list("happening", flat=True)) == [
            *("given", "superseded")
        ]
    assert ScopeMove.objects.filter(slot=world.hers.slot).count() == moves + 1
    apart.refresh_from_db()
    assert apart.ended_at is None
    proposal = Proposal.objects.get(subject=world.hers)
    assert (proposal.terms, proposal.renews, proposal.state) == (
        *(text, consent),
        ProposalState.OPEN,
    )
    assert {item.category for item in proposal.items.all()} == set(world.categories)
    assert proposal.answer_by - proposal.asked_at == days(settings.ASK_DAYS)
    again = answered(world, proposal).consent
    assert again is not None
    assert sharing.one(world.her, again.ref, timezone.now()).standing == Standing.IN_FORCE


def test_she_is_told_that_a_newer_text_ended_it_and_not_a_newer_yes(world):
    consent = world.give(terms=world.first)
    other = world.give(purpose=world.other_purpose)
    with override_settings(COOLING_HOURS=0):
        world.give(purpose=world.other_purpose, signed_at=timezone.now())
    newer(world)
    afresh.ask_due(at=timezone.now())

    def told(ref):
        seen = sharing.one(world.her, ref, timezone.now())
        return cards.card(seen, Places([world.recipient], named=False)).word, slips.told(
            receipts.of(seen)
        )[-1][1]

    assert told(consent.ref) == (
        "Ended: there is a newer text",
        "There is a newer text, so this yes ended.",
    )
    assert told(other.ref) == ("Replaced by a newer yes", "A newer yes took its place.")
    words = {each.word for each in accounting.uses_of(world.hers) if each.consent == consent}
    assert words == {"consent:given", accounting.TEXT_REPLACED}
    assert said(accounting.TEXT_REPLACED) == "There is a newer text, so this yes ended:"


def test_she_is_asked_in_her_own_language(world):
    spanish = Terms.objects.get(code="river-yes", language="es")
    world.give(terms=spanish)
    newer(world)
    afresh.ask_due(at=timezone.now())
    assert Proposal.objects.get().terms.language == "es"


def test_no_yes_to_the_older_text_comes_into_force_any_more(world):
    waiting = asked(world, world.first)
    newer(world)
    for deed in (
        lambda: world.give(terms=world.first),
        lambda: answered(world, waiting),
    ):
        with pytest.raises(Refused) as refusal:
            deed()
        assert "terms_replaced" in {each.code for each in refusal.value.problems}
    assert not Consent.objects.filter(terms=world.first).exists()


@pytest.mark.parametrize("signed", [False, True])
def test_who_is_being_asked_with_the_older_text_is_asked_with_the_newer_one(world, signed):
    """Also where she signed it and it waits: it is taken back, as her own taking back is."""
    proposal = asked(world, world.first, recipient=world.police if signed else world.recipient)
    if signed:
        assert answered(world, proposal).state == ProposalState.WAITING
    text = newer(world)
    assert afresh.ask_due(at=timezone.now()) == 1
    assert afresh.ask_due(at=timezone.now()) == 0
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.CANCELLED
    instead = Proposal.objects.exclude(pk=proposal.pk).get()
    assert (instead.terms, instead.state) == (text, ProposalState.OPEN)
    assert (instead.days, instead.asked_by) == (proposal.days, proposal.asked_by)
    assert not Consent.objects.filter(subject=world.hers).exists()


def test_whoever_said_no_lately_is_not_asked_again(world):
    consent = world.give(terms=world.first)
    proposals.refuse(proposal=asked(world, world.first), **stamp(world.her))
    newer(world)
    assert afresh.ask_due(at=timezone.now()) == 1
    consent.refresh_from_db()
    assert consent.ending == Ending.SUPERSEDED
    assert [each.state for each in Proposal.objects.all()] == [ProposalState.REFUSED]


def test_what_she_stopped_before_the_clock_came_stays_stopped(world, monkeypatch):
    consent = world.give(terms=world.first)
    newer(world)
    found = known.to_end(world.holder.pk, timezone.now(), 9)
    world.withdraw(consent)
    monkeypatch.setattr(known, "holders", lambda _at: [world.holder.pk])
    monkeypatch.setattr(known, "to_end", lambda *_: found)
    assert afresh.ask_due(at=timezone.now()) == 0
    consent.refresh_from_db()
    assert consent.ending == Ending.WITHDRAWN
    assert not Proposal.objects.exists()


def test_so_many_at_a_time_and_none_while_noes_are_not_known_here(world, monkeypatch):
    world.give(terms=world.first)
    world.give(subject=world.other, terms=world.first)
    newer(world)
    with monkeypatch.context() as patch:
        patch.setattr(noes, "against", lambda: NotReady("restored", "Noes are forgotten."))
        assert afresh.ask_due(at=timezone.now()) == 0
    assert [afresh.ask_due(at=timezone.now(), most=1) for _ in range(3)] == [1, 1, 0]


def test_a_holder_whose_key_is_away_waits_whole_and_keeps_no_other_waiting(world, monkeypatch):
    mine = world.give(terms=world.first)
    there = world.give(subject=world.elsewhere, terms=world.first, by=world.lake_advocate)
    newer(world)
    own_key = keys.own_key

    def away(subject):
        if subject.holder == world.holder:
            raise NotReady("key_missing", "The key is not there.")
        return own_key(subject)

    with monkeypatch.context() as patch:
        patch.setattr(keys, "own_key", away)
        assert afresh.ask_due(at=timezone.now()) == 1
    mine.refresh_from_db()
    there.refresh_from_db()
    assert (mine.ended_at is None, there.ending) == (True, Ending.SUPERSEDED)
    assert afresh.ask_due(at=timezone.now()) == 1


def test_a_yes_that_ran_out_is_not_asked_afresh(world):
    world.give(terms=world.first, signed_at=world.now - days(20), ends=world.now - days(1))
    newer(world)
    assert afresh.ask_due(at=timezone.now()) == 0
