"""Readers against noes at the door that answers about one person.

What is measured is never more than what happened: a permit counts as BAD where it was written, but
not yet committed, after a no about her had been acknowledged, and was told before anything took that
no back.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import local
from typing import Any

import pytest
from django.db import connections, transaction

from audit.vocabulary import Via
from common.errors import NotReady
from common.planned import Reading, side_by_side
from common.rows import Single
from consent.queries import keys
from governance.actions import agreements, scopes
from governance.queries import requests
from governance.queries.requests import Asked
from release.actions import inquiries
from release.models import Inquiry
from release.queries import person
from release.rules.person import PersonFacts
from tests.stateful.race import EVERYBODY, MOST_SECONDS, Letting, No, Outcome, Race
from tests.worlds import World, hand

FEW = 100
# A machine with nothing else to do takes four minutes for a hundred thousand permits.
PERMIT_SECONDS = float(os.environ.get("RACE_PERMIT_SECONDS", "1200"))
REST = 0.2  # seconds between two noes of the form with readers apart


@dataclass
class Found:
    """What one reader was told: of each permit between which instants and about whom, by the clock that
    all processes of a machine share."""

    begun: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    broken: str = ""
    last: bool = False


class InquiryRace(Race):
    """The same noes; the readers ask about one person at a time until `permits` were told."""

    def __init__(self, world: World, *, people: int, permits: int, pause: float) -> None:
        """`pause`: seconds between what is read and what is written, so that short runs bite."""
        super().__init__(world, people=people, sayers=2)
        self._permits, self._gap = permits, pause
        found = requests.asked_of(world.home.organisation, world.home.request.ref)
        assert found is not None
        self._asked: Asked = found
        self._steward = world.home.steward

    def _enough(self, most: int) -> bool:
        return self._over.is_set() or len(self.outcome.commits) >= self._permits

    def _read(self, name: str) -> None:
        random, numbers = Random(name), list(self._slots)  # noqa: S311 - no secret
        while not self._over.is_set():
            number = random.choice(numbers)
            try:
                inquiry = self.world.inquire(number)
            except NotReady as reason:
                self.outcome.counts[f"not ready {reason.code}"] += 1
                continue
            done = time.monotonic()
            if not inquiry.permitted:
                self.outcome.counts["refused"] += 1
                continue
            hers = frozenset([self._slots[number]])
            self.outcome.commits.append(Letting(self._committing.begun, done, hers))

    def _watch_commits(self, patch: pytest.MonkeyPatch) -> None:
        inserting, commitment = inquiries.INQUIRY.inserting, inquiries.commitment

        def noted(_: None) -> None:
            self._committing.begun = time.monotonic()

        def inserted(row: Inquiry) -> Reading[None]:
            return inserting(row).then(noted)

        def slowly(**given: Any) -> dict[str, str | int | None]:
            time.sleep(self._gap)
            return commitment(**given)

        patch.setattr(Single, "inserting", _only(inquiries.INQUIRY, inserted))
        if self._gap:
            patch.setattr(inquiries, "commitment", slowly)


def figures(outcome: Outcome) -> str:
    """What the design asks for, in one line, before everything else that happened."""
    permits = len(outcome.commits)
    return (
        f"{permits:,} permits ({permits / outcome.took:.0f} a second), {len(outcome.noes)} noes, "
        f"{outcome.bad_commits()} violations, withdrawal p99 "
        f"{outcome.milliseconds('withdraw', 99):.0f} ms; {outcome.line()}"
    )


def _only(one: Single, instead: Any) -> Any:
    """A method that does something else for one row's table, and as ever for every other."""
    usual = Single.inserting

    def inserting(self: Single, row: Any) -> Reading[None]:
        found: Reading[None] = instead(row) if self is one else usual(self, row)
        return found

    return inserting


class ApartRace(InquiryRace):
    """The same, each reader a process of its own, as machines at a door are: threads of one process
    wait for each other nearly all of the time, and a no that holds its locks waits with them."""

    def run(self, most: int) -> Outcome:
        connections.close_all()  # a child may not go on with its parent's
        forked = multiprocessing.get_context("fork")
        told = forked.SimpleQueue()
        stop = forked.Event()
        names = [f"reader-{number}" for number in range(self._readers)]
        readers = [forked.Process(target=self._apart, args=(each, told, stop)) for each in names]
        for each in readers:  # before any thread: a fork copies only itself
            each.start()
        sayer = self._thread(self._say, [each for share in self._shares for each in share], most)
        began = time.monotonic()
        sayer.start()
        left = len(readers)
        while left:
            left -= self._gathered(told.get())
            if self._enough(most) or time.monotonic() - began > PERMIT_SECONDS:
                stop.set()
        self.outcome.took = time.monotonic() - began
        self._over.set()
        everybody: list[Any] = [sayer, *readers]
        for one in everybody:
            one.join(timeout=MOST_SECONDS)
        assert not any(one.is_alive() for one in everybody)
        return self.outcome

    def _say(self, share: list[str], most: int) -> None:
        """One after the other, with a rest: while a no holds its locks nobody is told anything, so that
        without one there would be few permits to look at."""
        kinds = [self._withdraw, self._pause, self._object, self._suspended]
        at = 0
        while not self._enough(most):
            kinds[at % len(kinds)](share[at % len(share)])
            at += 1
            self._over.wait(REST)

    def _suspended(self, _number: str) -> None:
        home = self.world.home
        began = time.monotonic()
        agreements.suspend(agreement=home.agreement, **hand(home.warden))
        acknowledged = time.monotonic()
        time.sleep(0.05)
        taken_back = time.monotonic()
        self._keep("suspend", began, No("suspend", EVERYBODY, acknowledged, taken_back))
        agreements.resume(agreement=home.agreement, **hand(home.warden))

    def _gathered(self, found: Found) -> bool:
        """Take in what one reader tells; whether it was its last word."""
        self.outcome.counts.update(found.counts)
        lettings = zip(found.begun, found.done, found.slots, strict=True)
        self.outcome.commits += [
            Letting(begun, done, frozenset([slot])) for begun, done, slot in lettings
        ]
        if found.broken:
            self.outcome.broken.append(AssertionError(found.broken))
            self._over.set()
        return found.last

    def _apart(self, name: str, told: Any, stop: Any) -> None:
        """One reader's process: it tells what it was told, some hundred answers at a time."""
        random, numbers = Random(name), list(self._slots)  # noqa: S311 - no secret
        found = Found()
        with pytest.MonkeyPatch.context() as patch:
            self._watch_commits(patch)
            while not stop.is_set():
                try:
                    self._ask(random.choice(numbers), found)
                except BaseException as error:  # noqa: BLE001 - the parent raises it
                    found.broken = repr(error)
                    break
                if len(found.done) >= FEW:
                    told.put(found)
                    found = Found()
        connections.close_all()
        found.last = True
        told.put(found)
        os._exit(0)  # nothing of the parent's ends a second time here

    def _ask(self, number: str, found: Found) -> None:
        try:
            inquiry = inquiries.answer(
                request=self._asked, number=number, **{**hand(self._steward), "via": Via.API}
            )
        except NotReady as reason:
            found.counts[f"not ready {reason.code}"] += 1
            return
        done = time.monotonic()
        if not inquiry.permitted:
            found.counts["refused"] += 1
            return
        found.begun.append(self._committing.begun)
        found.done.append(done)
        found.slots.append(self._slots[number])


@contextmanager
def without_locks() -> Iterator[None]:
    """The mutant: a transaction like the real one, and no lock."""

    @contextmanager
    def unsteady(
        *readings: Reading[Any], recipient: int
    ) -> Iterator[tuple[scopes.Moment, list[Any]]]:
        with transaction.atomic(durable=True):
            yield scopes._moment(scopes.clock.now(), [recipient]), list(side_by_side(*readings))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scopes, "steady_beside", unsteady)
        yield


@contextmanager
def read_before_the_locks() -> Iterator[None]:
    """The mutant: locks as they should be, and what is written is what was read before them."""
    client, gather, early = keys.client, person.asking_for_holder, local()

    def known(holder: Any, number: str) -> Reading[keys.Client | None]:
        return client(holder, number).then(remembered)

    def remembered(found: keys.Client | None) -> keys.Client | None:
        early.slot = person.NOBODYS if found is None else found.slot
        return found

    @contextmanager
    def late(*readings: Reading[Any], recipient: int) -> Iterator[tuple[scopes.Moment, list[Any]]]:
        early.facts = gather(request=early.request, slot=early.slot).now()
        time.sleep(0.02)
        with steady(*readings, recipient=recipient) as found:
            yield found

    def gathered(*, request: Asked, slot: int) -> Reading[PersonFacts]:
        return gather(request=request, slot=slot).then(as_before)

    def as_before(_now: PersonFacts) -> PersonFacts:
        found: PersonFacts = early.facts
        return found

    def answered(**given: Any) -> Inquiry:
        early.request = given["request"]
        return answer(**given)

    steady, answer = scopes.steady_beside, inquiries.answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "client", known)
        patch.setattr(scopes, "steady_beside", late)
        patch.setattr(person, "asking_for_holder", gathered)
        patch.setattr(inquiries, "answer", answered)
        yield
    connections.close_all()
