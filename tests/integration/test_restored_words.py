"""After a restore what was made smaller, found not to count, or taken back before it counted stays so."""

import pytest
from django.utils import timezone

from common.errors import RuleBroken
from consent.actions import afresh, endings, liftings, proposals
from consent.actions.replaying import replay
from consent.models import Consent, Invalidation, Lifting, Objection, Proposal
from consent.vocabulary import Channel, Ending
from governance.models import KeptNo
from governance.vocabulary import Closing
from tests import texts
from tests.append_only import triggers_lifted
from tests.factories import governance as made
from tests.integration.test_restored import code, forget
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(2, each=1)


def first_only(world: World, number: str) -> None:
    """The database as an older copy has it: her first yes runs, and nothing followed."""
    subject = world.subject(number)
    with triggers_lifted():
        first = Consent.objects.filter(subject=subject).order_by("pk")[0]
        Invalidation.objects.filter(consent__subject=subject).delete()
        for later in Consent.objects.filter(subject=subject).exclude(pk=first.pk):
            later.events.all().delete()
            later.delete()
        first.events.exclude(happening="given").delete()
        Consent.objects.filter(pk=first.pk).update(ended_at=None, ending=None)
        Objection.objects.filter(subject=subject).delete()


def newer_text(world: World, _number: str) -> None:
    """Her text is replaced by one that lets more go."""
    world.text = texts.publish(
        texts=texts.both(why="To know more."),
        organisation=world.home.organisation,
        **hand(world.home.warden),
    )
    assert afresh.ask_due(at=timezone.now()) == 2
    world.yes("c-2")


@pytest.mark.parametrize("no", [World.less, World.invalid, newer_text])
def test_a_yes_made_smaller_or_found_not_to_count_does_not_come_back_whole(world, no):
    signed = world.consent("c-1").signed_at
    no(world, "c-1")
    first_only(world, "c-1")
    forget()
    assert code(world.prepare) == "restored"
    replay(**hand(world.chair))
    first = Consent.objects.get(subject=world.subject("c-1"))
    assert first.ended_at is not None
    with pytest.raises(RuleBroken):
        world.yes("c-1", signed_at=signed)  # nor does the paper
    assert "c-1" not in world.received(world.prepare())


def test_the_clock_writes_no_end_by_its_date_over_a_forgotten_no(world):
    ends = world.consent("c-2").ends
    world.no("c-1")
    first_only(world, "c-1")
    forget()
    assert endings.note_due(at=ends) == 0
    replay(**hand(world.chair))
    assert endings.note_due(at=ends) == 1  # of c-2 alone
    first = Consent.objects.get(subject=world.subject("c-1"))
    assert (first.ending, first.expired_at) == (Ending.WITHDRAWN, None)


def test_what_ended_by_its_date_is_found_again_in_an_older_copy(world):
    first = world.consent("c-1")
    endings.note_due(at=first.ends)
    first_only(world, "c-1")
    with triggers_lifted():
        Consent.objects.filter(pk=first.pk).update(expired_at=None)
    assert endings.note_due(at=first.ends) == 1


def asked_and_signed(world: World) -> Proposal:
    """c-1 is asked for a yes to the police, and signs it: it waits."""
    police = made.organisation(kind="police")
    proposal = proposals.ask(
        subject=world.subject("c-1"),
        recipient=police,
        purpose=world.purpose,
        categories=world.categories,
        terms=world.text,
        **hand(world.home.advocate),
    )
    return proposals.answer(
        proposal=proposal,
        categories=world.categories,
        signature="an x on paper",
        answers="yyyyyyy",
        channel=Channel.IN_PERSON,
        lawyer_offered=True,
        **hand(world.home.advocate),
    )


def test_a_yes_taken_back_while_it_waited_does_not_start_after_a_restore(world):
    proposal = asked_and_signed(world)
    before = proposal.state
    proposals.cancel(proposal=proposal, **hand(world.home.advocate))
    with triggers_lifted():
        Proposal.objects.filter(pk=proposal.pk).update(state=before, closed_at=None)
        proposal.steps.filter(turn="cancelled").delete()
    forget()
    due = proposal.takes_effect_at
    assert proposals.settle_due(at=due) == 0  # noes are not known here: nothing comes into force
    replay(**hand(world.chair))
    proposal.refresh_from_db()
    assert proposal.state == "cancelled"
    assert proposals.settle_due(at=due) == 0
    assert Consent.objects.filter(recipient=proposal.recipient).count() == 0


def test_a_no_that_was_kept_after_all_is_not_taken_back_after_a_restore(world):
    objection = world.object("c-1")
    lifting = liftings.ask(objection=objection, **hand(world.home.advocate))
    liftings.cancel(lifting=lifting, **hand(world.home.advocate))
    with triggers_lifted():
        Lifting.objects.update(cancelled_at=None)
    forget(*KeptNo.objects.filter(act=Closing.NO_KEPT).values_list("mark", flat=True))
    assert liftings.settle_due(at=lifting.due_at) == 0
    replay(**hand(world.chair))
    assert liftings.settle_due(at=lifting.due_at) == 0
    objection.refresh_from_db()
    assert objection.lifted_at is None
