"""What a person was asked and what she answered is committed to when it is said (ADR 21, 23)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.actions import sequence
from audit.models import Detail, Entry
from audit.queries.details import check_details
from audit.queries.tampered import Tampered
from consent.actions import liftings, proposals
from consent.actions.sets import category_set
from consent.models import Consent, Lifting, Proposal, ProposalItem, ProposalStep
from consent.vocabulary import WIPED, ProposalState
from oversight.queries import asks, words
from oversight.queries.said import ASKS, LIFTINGS
from oversight.vocabulary import Told, Uncommitted
from tests.append_only import unguarded
from tests.factories import consent as said
from tests.factories import governance as made
from tests.integration.consent_world import World, build, stamp
from tests.integration.test_proposals import answered, asked, cautious
from tests.shredding import shred
from tests.worlds import hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def told() -> list[Told]:
    return [each for _, check in asks.CHECKS for each in check(lambda count: None)]


def changed(row: Any, **values: Any) -> None:
    assert type(row)._default_manager.filter(pk=row.pk).update(**values) == 1


@pytest.fixture
def world() -> World:
    """An ask in each state that one can be in, and noes that are to be taken back."""
    world = build()
    lapsed, refused, cancelled = (
        asked(world, recipient=made.organisation(kind="research")) for _ in range(3)
    )
    proposals.refuse(proposal=refused, **stamp(world.her))
    proposals.cancel(proposal=cancelled, **stamp(world.advocate))
    proposals.settle_due(at=lapsed.answer_by)
    cautious(world)
    answered(world, asked(world))
    asked(world, purpose=world.other_purpose)
    later = asked(world, recipient=made.organisation(kind="research"))
    proposals.defer(proposal=later, **stamp(world.her))
    no = world.object(purpose=world.other_purpose)
    liftings.ask(objection=no, recipient=world.police, **stamp(world.her))
    other = liftings.ask(objection=world.object(purpose=made.purpose()), **stamp(world.advocate))
    liftings.cancel(lifting=other, **stamp(world.advocate))
    sequence()
    return world


# What is made another than it was said, of an ask in which state, and how that is called.
ASKED = {
    "who receives": ("open", lambda _w: {"recipient": made.organisation()}),
    "what for": ("deferred", lambda _w: {"purpose": made.purpose()}),
    "whose it is": ("refused", lambda w: {"subject": w.other}),
    "the text that was shown": ("lapsed", lambda _w: {"terms": said.terms()}),
    "for how long it was asked": ("cancelled", lambda _w: {"days": 1}),
    "until when it could be answered": ("open", lambda w: {"answer_by": w.now + 99 * DAY}),
    "which yes it would go on from": ("lapsed", lambda _w: {"renews": Consent.objects.first()}),
    "its end": ("waiting", lambda w: {"ends": w.now + 99 * DAY}),
    "until when what is recorded may go": ("waiting", lambda w: {"record_until": w.now - 9 * DAY}),
    "when it counts": ("waiting", lambda w: {"takes_effect_at": w.now}),
    "how and by whom it was signed": ("waiting", lambda _w: {"lawyer_offered": False}),
    "which information": ("waiting", lambda w: {"chosen": category_set(w.categories[:1], w.now)}),
    "when it was signed": ("waiting", lambda w: {"signed_at": w.now - DAY}),
    "when it was asked": ("given", lambda w: {"asked_at": w.now - DAY}),
}


def test_every_ask_stands_as_its_steps_say_and_says_what_was_committed_to(world: World) -> None:
    states = set(Proposal.objects.values_list("state", flat=True))
    assert states == set(ProposalState.values)
    assert Lifting.objects.count() == 3  # one of them of the same no at her other holder
    assert told() == []
    check_details()
    for entry in Entry.objects.filter(type__in=ASKS | LIFTINGS):
        assert Detail.objects.filter(entry=entry).exists()


def test_what_was_asked_or_answered_made_to_say_something_else_is_named(world: World) -> None:
    for name, (state, to) in ASKED.items():
        row = Proposal.objects.filter(state=state).latest("pk")
        with unguarded():
            changed(row, **to(world))
            found = [str(each) for each in told()]
            assert any(f"ask row {row.pk}: it does not say" in each for each in found), name
            assert any(name in each for each in found), name
            assert len({each.split(":")[0] for each in found}) == 1


def test_a_kind_of_information_added_to_an_ask_is_named(world: World) -> None:
    row = Proposal.objects.get(state=ProposalState.OPEN)
    ProposalItem.objects.create(proposal=row, category=made.category())
    assert "what was asked for" in str(told()[0])


def test_an_ask_that_does_not_stand_as_its_steps_say_is_named(world: World) -> None:
    opened = Proposal.objects.get(state=ProposalState.OPEN)
    refused = Proposal.objects.get(state=ProposalState.REFUSED)
    with unguarded():
        changed(refused, state=ProposalState.OPEN, closed_at=None)
        assert "its state or its end is another" in str(told()[0])
    with unguarded():
        changed(refused, closed_at=timezone.now())
        assert "its state or its end is another" in str(told()[0])
    with unguarded():
        ProposalStep.objects.filter(proposal=opened)._raw_delete(using="default")
        assert "its state or its end is another" in str(told()[0])
    step = refused.steps.get(turn="refused")
    other = opened.steps.get().entry
    for values in ({"entry": other}, {"at": timezone.now()}):
        with unguarded():
            changed(step, **values)
            changed(refused, closed_at=values.get("at", refused.closed_at))
            assert "has no entry that is about it" in str(told()[0])


def test_a_no_to_be_taken_back_made_larger_is_named(world: World) -> None:
    rows = Lifting.objects.order_by("pk")
    with unguarded():
        changed(rows.last(), due_at=world.now)
        assert "when it counts" in str(told()[0])
    with unguarded():
        changed(rows.first(), recipient=None)
        assert "who receives" in str(told()[0])
    with unguarded():
        changed(rows.first(), asked_at=world.now - DAY)
        assert "no entry says that it was asked for" in str(told()[0])


def test_of_what_was_written_before_it_is_only_said(world: World) -> None:
    with unguarded():
        Detail.objects.all()._raw_delete(using="default")
        assert "is gone, or is another" in str(told()[0])
        with pytest.raises(Tampered, match="it is gone"):
            check_details()
        Entry.objects.update(detail_commit="")
        assert {type(each) for each in told()} == {Uncommitted}
        assert not [each for each in words_told() if each.place in {one.place for one in told()}]


def words_told() -> list[Told]:
    return [each for _, check in words.CHECKS for each in check(lambda count: None)]


def test_whoever_was_shredded_was_asked_what_she_was_asked() -> None:
    world = small_world(2, each=1)
    waiting = proposals.ask(
        subject=world.subject("c-1"),
        recipient=made.organisation(kind="research"),
        purpose=world.home.request.purpose,
        categories=world.categories,
        terms=Consent.objects.earliest("pk").terms,
        **hand(world.home.advocate),
    )
    shred(world, "c-1")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.asked_by, waiting.signature) == ("cancelled", None, WIPED)
    assert told() == []
    with unguarded():
        changed(waiting, days=1)
        assert "for how long it was asked" in str(told()[0])
