"""Readers against noes at the door that answers about one person.

What is measured is never more than what happened: a permit counts as BAD where it was written, but
not yet committed, after a no about her had been acknowledged, and was told before anything took that
no back.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import local
from typing import Any

import pytest
from django.db import connections, transaction

from common.errors import NotReady
from common.planned import Reading, side_by_side
from common.rows import Single
from consent.queries import keys
from governance.actions import scopes
from governance.queries import requests
from governance.queries.requests import Asked
from release.actions import inquiries
from release.models import Inquiry
from release.queries import person
from release.rules.person import PersonFacts
from tests.stateful.race import Letting, Race
from tests.worlds import World


class InquiryRace(Race):
    """The same noes; the readers ask about one person at a time until `permits` were told."""

    def __init__(self, world: World, *, people: int, permits: int, pause: float) -> None:
        """`pause`: seconds between what is read and what is written, so that short runs bite."""
        super().__init__(world, people=people, sayers=2)
        self._permits, self._gap = permits, pause
        found = requests.asked_of(world.home.organisation, world.home.request.ref)
        assert found is not None
        self._asked: Asked = found

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
        patch.setattr(inquiries, "commitment", slowly)


def _only(one: Single, instead: Any) -> Any:
    """A method that does something else for one row's table, and as ever for every other."""
    usual = Single.inserting

    def inserting(self: Single, row: Any) -> Reading[None]:
        found: Reading[None] = instead(row) if self is one else usual(self, row)
        return found

    return inserting


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
