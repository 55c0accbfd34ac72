"""In any order of yes, no, pause, release, hand-over and question, each person's own list is what a
replay of the log with her key gives."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from common.errors import RuleBroken, Void
from consent.actions import blocks, looks
from consent.actions.shredding import call_off
from consent.models import Block, Consent, Objection
from consent.queries import keys
from oversight.queries.replay import replay
from release.actions import recalls
from release.models import Release, Use
from release.queries import accounting
from release.rules.bits import block_of
from release.vocabulary import Deed, DownloadPart, ReleaseState
from tests import shredding
from tests.append_only import unguarded
from tests.factories.consent import helped_by
from tests.gate import drained
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 4
who = st.sampled_from([f"c-{number}" for number in range(1, PEOPLE + 1)])


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with (
        django_db_blocker.unblock(),
        lasting_world(PEOPLE, each=1, yes=["c-1", "c-2", "c-3"], part_rows=2) as found,
    ):
        yield found


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


def hers(world: World, number: str) -> tuple[list[tuple[Deed, int | None]], ...]:
    """Her list as it is kept, and as the log with her key gives it."""
    subject = world.subject(number)
    (key,) = keys.unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    # The world's helpers were put in as rows, without their entries.
    kept = [
        (each.deed, each.entry)
        for each in accounting.uses_of(subject)
        if each.deed != Deed.AROUND or each.entry is not None
    ]
    again = [(each.deed, each.entry) for each in replay(subject, key)]
    return sorted(set(kept), key=str), sorted(set(again), key=str)


def free(world: World, number: str) -> None:
    """She says yes, and no standing no of hers is left."""
    for each in Objection.objects.filter(subject=world.subject(number), lifted_at=None):
        world.lift(each)
    world.yes(number)


class Living(RuleBasedStateMachine):
    """What one small installation may see in a day."""

    world: World

    @rule(number=who, part=st.booleans())
    def yes(self, number, part):
        self.world.yes(number, categories=self.world.categories[: 1 if part else 2])

    @rule(number=who)
    def no(self, number):
        if self._consent(number):
            self.world.no(number)

    @rule(number=who)
    def pause(self, number):
        if self._consent(number):
            try:
                self.world.pause(number)
            except RuleBroken:
                self.world.resume(number)

    @rule(number=who)
    def object(self, number):
        standing = Objection.objects.filter(
            subject=self.world.subject(number), lifted_at__isnull=True
        ).first()
        if standing is None:
            self.world.object(number)
        else:
            self.world.lift(standing)

    @rule(number=who)
    def question(self, number):
        self.world.inquire(number)

    @rule(number=who)
    def look(self, number):
        subject, advocate = self.world.subject(number), self.world.home.advocate
        helped_by(advocate, subject)
        looks.look(subject=subject, **hand(advocate))

    @rule(number=who)
    def keep_away(self, number):
        subject, worker = self.world.subject(number), self.world.home.steward
        helped_by(self.world.home.advocate, subject)
        if not Block.objects.filter(subject=subject, worker=worker, lifted_at=None).exists():
            blocks.block(subject=subject, worker=worker, **hand(self.world.home.advocate))

    @rule()
    def release(self):
        self.world.prepare()

    @rule(piece=st.integers(0, 2))
    def pick_up(self, piece):
        release = Release.objects.filter(state=ReleaseState.PREPARED, voided_at=None).last()
        if release is None:
            return
        given = {"part": DownloadPart.PART, "number": piece} if piece else {}
        if piece > release.parts.count():
            given = {"part": DownloadPart.MANIFEST}
        try:
            drained(self.world.hand_over(release, **given))
        except Void:  # it waits anew
            for waiting in Release.objects.filter(state=ReleaseState.WAITING):
                self.world.run(waiting)

    @invariant()
    def each_list_is_the_log_s(self):
        for number in ("c-1", "c-4"):
            kept, again = hers(self.world, number)
            assert kept == again

    def _consent(self, number: str) -> Consent | None:
        running = Consent.objects.filter(ended_at__isnull=True)
        return running.filter(subject=self.world.subject(number)).first()


def test_in_any_order_her_list_is_what_the_log_says_with_her_key(world):
    class InThisWorld(Living):
        pass

    InThisWorld.world = world
    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_kind_of_line_is_compared(world):
    """One straight day that holds each of them, whatever was drawn above."""
    free(world, "c-1")
    release = world.prepare()
    drained(world.hand_over(release))
    drained(world.hand_over(release, DownloadPart.PART, number=1))
    world.inquire("c-1")
    looks.look(subject=world.subject("c-1"), **hand(world.home.advocate))
    world.no("c-1")
    world.prepare()
    recalls.open_due(at=timezone.now())
    asked = shredding.ask(world)
    kept, again = hers(world, "c-1")
    call_off(shredding=asked, **hand(world.home.warden))
    assert kept == again
    assert {deed for deed, _ in kept} == set(Deed)


def test_a_line_that_is_gone_or_added_past_the_guards_is_a_difference(world):
    """The list is not compared with itself: what somebody takes out of the tables is seen."""
    free(world, "c-2")
    release = world.prepare()
    drained(world.hand_over(release))
    kept, again = hers(world, "c-2")
    assert kept == again
    block = block_of(world.subject("c-2").slot)
    with unguarded():  # rolled back at its end
        Use.objects.filter(release=release, block=block).delete()
        kept, again = hers(world, "c-2")
        told = {(Deed.READY, release.entry_id), (Deed.PICKED_UP, release.downloads.get().entry_id)}
        assert set(again) - set(kept) == told
        assert set(kept) < set(again)
