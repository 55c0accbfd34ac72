"""In any order of what may happen to her word, the gate's readings and a plain model agree.

The model is a few lines about one yes to one recipient: what runs, what waits, what she objects to.
Compared after every step, at that very instant: the rule for one person, everybody's columns, her
own page, and what the events tell an auditor.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit.vocabulary import Via
from common.days import begins, day_of
from consent.actions import (
    consents,
    disputes,
    endings,
    giving,
    liftings,
    minorities,
    objections,
    proposals,
    representatives,
)
from consent.models import Consent, Dispute, Lifting, Objection, Proposal, Representative
from consent.queries import sharing
from consent.queries.sets import consent_sets
from consent.rules import Ask, word
from consent.vocabulary import Channel, Invalidity, Speaker, Standing
from governance.queries import noes
from oversight import rules as checked
from tests import speaking
from tests.integration.consent_world import World, build
from tests.stateful.her_model import Model, Yes

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAIT = 24 * HOUR


class HerWord(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True  # the deeds open durable transactions inside it
        self.atomic.__enter__()
        self.world = build()
        self.model = Model()
        self.now = timezone.now()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # --- the world's own words

    def by_her(self, at: datetime | None = None) -> dict[str, Any]:
        return {"by": self.world.her, "at": at or self.clock(), "via": Via.PORTAL}

    def clock(self) -> datetime:
        """Never before what the database's own clock has stamped."""
        self.now = max(self.now, timezone.now())
        return self.now

    def consent(self) -> Consent | None:
        rows = Consent.objects.filter(subject=self.world.hers, ended_at__isnull=True)
        return rows.select_related("subject__holder", "recipient", "purpose").first()

    def proposal(self) -> Proposal | None:
        return Proposal.objects.filter(closed_at__isnull=True).first()

    def running(self) -> bool:
        return self.model.runs is not None

    # --- what may happen

    @precondition(lambda self: not self.model.asked and self.model.waits is None)
    @rule()
    def ask(self) -> None:
        at = self.clock()
        if self.model.silent_until and at < self.model.silent_until:
            return
        proposals.ask(
            subject=self.world.hers,
            recipient=self.world.recipient,
            purpose=self.world.purpose,
            categories=self.world.categories,
            terms=self.world.terms,
            days=40,
            by=self.world.advocate,
            at=at,
            via=Via.DESK,
        )
        self.model.asked, self.model.silent_until = True, at + 30 * DAY

    @precondition(lambda self: self.model.asked)
    @rule(kinds=st.sets(st.sampled_from([0, 1]), min_size=1), days=st.sampled_from([1, 20, 40]))
    def answer(self, kinds: set[int], days: int) -> None:
        proposal, at = self.proposal(), self.clock()
        assert proposal is not None
        if at >= proposal.answer_by:
            return
        if not self.model.alone(at):
            with pytest.raises(giving.Refused):
                proposals.answer(
                    proposal=proposal,
                    categories=self.world.categories,
                    signature="amber-willow-41",
                    answers="yyyyyyy",
                    channel=Channel.PORTAL,
                    **self.by_her(at),
                )
            return
        proposals.answer(
            proposal=proposal,
            categories=[self.world.categories[each] for each in sorted(kinds)],
            signature="amber-willow-41",
            answers="yyyyyyy",
            channel=Channel.PORTAL,
            ends=at + days * DAY,
            **self.by_her(at),
        )
        new = Yes(frozenset(kinds), at + days * DAY, at.date())
        old = self.model.runs
        live = old is not None and at < old.ends
        wider = live and (
            self.model.paused
            or not new.kinds <= old.kinds
            or new.ends > old.ends
            or new.day > old.day
        )
        if wider:
            self.model.waits = (new, at + WAIT)
        else:
            self.model.runs, self.model.paused = new, False
        self.model.asked = False
        if not wider:
            self.model.silent_until = None

    @precondition(lambda self: self.model.asked)
    @rule()
    def refuse(self) -> None:
        proposal, at = self.proposal(), self.clock()
        assert proposal is not None
        if at < proposal.answer_by:
            proposals.refuse(proposal=proposal, **self.by_her(at))
            self.model.asked = False

    @precondition(lambda self: self.model.waits is not None)
    @rule()
    def waive(self) -> None:
        proposal, at = self.proposal(), self.clock()
        assert proposal is not None
        assert self.model.waits is not None
        new, _ = self.model.waits
        if at < new.ends:
            proposals.waive(proposal=proposal, **self.by_her(at))
            self.model.runs, self.model.paused, self.model.waits = new, False, None
            self.model.silent_until = None

    @precondition(lambda self: self.model.waits is not None)
    @rule()
    def cancel(self) -> None:
        proposal = self.proposal()
        assert proposal is not None
        proposals.cancel(proposal=proposal, **self.by_her())
        self.model.no()
        self.model.silent_until = None

    @precondition(running)
    @rule()
    def pause(self) -> None:
        consent = self.consent()
        assert consent is not None
        if not self.model.paused:
            consents.pause(consent=consent, **self.by_her())
            self.model.paused = True
            self.model.no()

    @precondition(lambda self: self.model.paused)
    @rule()
    def resume(self) -> None:
        consent = self.consent()
        assert consent is not None
        consents.resume(consent=consent, **self.by_her())
        self.model.paused = False

    @precondition(lambda self: self.model.runs is not None and len(self.model.runs.kinds) == 2)
    @rule(keep=st.sampled_from([0, 1]))
    def narrow(self, keep: int) -> None:
        consent, old = self.consent(), self.model.runs
        assert consent is not None
        assert old is not None
        if self.clock() >= old.ends:
            return
        consents.narrow(consent=consent, categories=[self.world.categories[keep]], **self.by_her())
        self.model.runs = Yes(frozenset({keep}), old.ends, old.day, old.hers)
        self.model.no()

    @precondition(running)
    @rule(how=st.sampled_from(["withdraw", "invalidate"]))
    def stop(self, how: str) -> None:
        consent = self.consent()
        assert consent is not None
        if how == "withdraw":
            consents.withdraw(consent=consent, **self.by_her())
        else:
            consents.invalidate(consent=consent, reason=Invalidity.NOT_FREE, **self.by_her())
        self.model.runs, self.model.paused = None, False
        self.model.no()

    @rule(kind=st.sampled_from([None, 0, 1]))
    def object(self, kind: int | None) -> None:
        if kind in self.model.against:
            return
        category = None if kind is None else self.world.categories[kind]
        objections.make(subject=self.world.hers, category=category, **self.by_her())
        self.model.against.add(kind)
        if self.model.waits and (kind is None or kind in self.model.waits[0].kinds):
            self.model.no()

    def objection(self, kind: int | None) -> Objection:
        category = None if kind is None else self.world.categories[kind]
        return Objection.objects.get(
            subject=self.world.hers, category=category, lifted_at__isnull=True
        )

    @precondition(lambda self: self.model.against)
    @rule(data=st.data())
    def lift(self, data: Any) -> None:
        kind = data.draw(st.sampled_from(sorted(self.model.against, key=str)))
        if kind not in self.model.lifting:
            at = self.clock()
            liftings.ask(objection=self.objection(kind), **self.by_her(at))
            self.model.lifting[kind] = at + WAIT

    @precondition(lambda self: self.model.lifting)
    @rule(data=st.data(), how=st.sampled_from(["keep", "now"]))
    def decide_on_a_lifting(self, data: Any, how: str) -> None:
        kind = data.draw(st.sampled_from(sorted(self.model.lifting, key=str)))
        lifting = Lifting.objects.select_related("objection__subject").get(
            objection=self.objection(kind), cancelled_at__isnull=True, done_at__isnull=True
        )
        if how == "keep":
            liftings.cancel(lifting=lifting, **self.by_her())
        else:
            liftings.waive(lifting=lifting, **self.by_her())
            self.model.against.discard(kind)
        del self.model.lifting[kind]

    # --- who speaks for her

    def here(self, at: datetime | None = None) -> dict[str, Any]:
        """About her, by her holder's advocate."""
        return {"holder": self.world.holder, "number": "A-17", **self.advised(at)}

    def advised(self, at: datetime | None = None) -> dict[str, Any]:
        return {"by": self.world.advocate, "at": at or self.clock(), "via": Via.DESK}

    @precondition(lambda self: self.model.minor_until is None and not self.model.dead)
    @rule(days=st.sampled_from([2, 25]))
    def is_a_minor(self, days: int) -> None:
        at = self.clock()
        majority = day_of(at + days * DAY)
        minorities.record(majority=majority, alone=False, **self.here(at))
        self.model.minor_until = begins(majority)
        if self.model.runs is not None:  # hers alone is not enough, and no authority lasts longer
            self.model.ends()
        self.model.no()
        self.model.speaks = False

    @precondition(lambda self: not self.model.speaks and not self.model.dead)
    @rule()
    def represent(self) -> None:
        at = self.clock()
        ends = at + 60 * DAY
        found = speaking.speaker(
            kind=Speaker.GUARDIAN, who=f"Heron {at}", starts=at - DAY, ends=ends, **self.here(at)
        )
        minor = self.model.minor_until
        assert found.ends == (min(ends, minor) if minor and at < minor else ends)
        self.model.speaks = True

    def speaker(self) -> Representative | None:
        rows = Representative.objects.select_related("subject__holder").filter(ended_at=None)
        return rows.order_by("-pk").first()

    @precondition(lambda self: self.model.speaks)
    @rule(kinds=st.sets(st.sampled_from([0, 1]), min_size=1))
    def another_says_yes(self, kinds: set[int]) -> None:
        authority, at = self.speaker(), self.clock()
        assert authority is not None
        ends = min(at + 10 * DAY, authority.ends)
        given = {
            "categories": [self.world.categories[each] for each in sorted(kinds)],
            "signed_at": at,
            "ends": ends,
            **speaking.by(authority),
            **self.advised(at),
        }
        if self.model.dead or self.model.disputed or at >= authority.ends:
            with pytest.raises(giving.Refused):
                self.world.give(**given)
            return
        old = self.model.runs
        wider = old is not None and at < old.ends and (
            self.model.paused or not kinds <= old.kinds or ends > old.ends or at.date() > old.day
        )  # fmt: skip
        if wider:  # it lets more go than what runs, and nobody asked her
            with pytest.raises(giving.Refused):
                self.world.give(**given)
            return
        self.world.give(**given)
        self.model.runs = Yes(frozenset(kinds), ends, at.date(), hers=False)
        self.model.paused = False

    @precondition(lambda self: self.model.speaks)
    @rule()
    def speaks_no_more(self) -> None:
        authority = self.speaker()
        assert authority is not None
        representatives.end(representative=authority, **self.advised())
        self.model.speaks = False
        if self.model.runs is not None and not self.model.runs.hers:
            self.model.ends()

    @rule()
    def dispute(self) -> None:
        if self.model.disputed:
            disputes.resolve(dispute=Dispute.objects.get(resolved_at=None), **self.advised())
        else:
            disputes.report(**self.here())
        self.model.disputed = not self.model.disputed

    @precondition(lambda self: not self.model.dead)
    @rule()
    def die(self) -> None:
        speaking.died(**self.here())
        self.model.dead, self.model.speaks = True, False
        self.model.ends()
        self.model.no()

    @rule(hours=st.sampled_from([1, 23, 24, 25, 24 * 20, 24 * 31]))
    def time_goes_on(self, hours: int) -> None:
        """The clock comes round: what has waited counts, what nobody answered runs out."""
        self.now = self.clock() + hours * HOUR
        at = self.now
        proposal = self.proposal()
        proposals.settle_due(at=at)
        liftings.settle_due(at=at)
        endings.note_due(at=at)
        for each in Consent.objects.filter(subject=self.world.hers, ended_at__isnull=True):
            assert (each.expired_at is not None) == (sharing.fact(each).lasts_until <= at)
        if self.model.waits and self.model.waits[1] <= at:
            self.model.runs, self.model.paused = self.model.waits[0], False
            self.model.waits = None
            self.model.silent_until = None
        if self.model.asked and proposal is not None and proposal.answer_by <= at:
            self.model.asked = False
        for kind in [each for each, due in self.model.lifting.items() if due <= at]:
            self.model.against.discard(kind)
            del self.model.lifting[kind]

    # --- and always

    @invariant()
    def the_gate_reads_what_she_said(self) -> None:
        at, world = self.clock() + timedelta(microseconds=1), self.world
        wanted = self.model.opens(at)
        consents_of_hers = list(Consent.objects.filter(subject=world.hers))
        facts = [sharing.fact(each) for each in consents_of_hers]
        versions = {
            version.pk: version.category_id
            for category in world.categories
            for version in category.versions.all()
        }
        place = {category.pk: number for number, category in enumerate(world.categories)}
        ask = Ask(world.recipient.pk, world.recipient.kind, world.purpose.pk)
        found = word(
            consents=facts,
            objections=sharing.objections(world.hers),
            ask=ask,
            categories=versions,
            since=at,
            until=at,
        )
        assert {place[versions[each]] for each in found.versions} == wanted
        sets = consent_sets(
            holder=world.holder.pk, ask=ask, since=at, until=at, slots=[world.hers.slot]
        )
        opened: set[int] = set()
        for yes in sets.yeses:
            if world.hers.slot in yes.slots and world.hers.slot not in sets.objected:
                opened |= {
                    place[versions[each]]
                    for each in yes.versions
                    if world.hers.slot not in sets.objected_categories.get(versions[each], ())
                }
        assert opened == wanted
        standing = [sharing.one(world.her, each.ref, at) for each in consents_of_hers]
        seen = [each for each in standing if each and each.standing is Standing.IN_FORCE]
        assert len(seen) == (1 if wanted else 0)

    @invariant()
    def what_happened_tells_how_it_stands(self) -> None:
        for consent in Consent.objects.filter(subject=self.world.hers):
            events = list(consent.events.order_by("pk").values_list("happening", "at"))
            told = checked.derived(events)
            assert told == checked.State(
                consent.ended_at, consent.ending, consent.paused_at, consent.expired_at
            )


def test_in_any_order_her_word_and_the_gate_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each example is rolled back, and what it wrote into the file of noes is not.
    monkeypatch.setattr(noes, "against", lambda: None)
    run_state_machine_as_test(
        HerWord,
        settings=settings(
            max_examples=30,
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
