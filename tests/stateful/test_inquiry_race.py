"""Eight readers against noes of every kind: no permit is told after a no was acknowledged."""

import os
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.stateful.inquiring import (
    ApartRace,
    InquiryRace,
    figures,
    read_before_the_locks,
    without_locks,
)
from tests.stateful.race import Outcome
from tests.worlds import World, lasting_world

# The full form (`make faults`) says a hundred thousand; the suite's own form is long enough to bite.
PERMITS = int(os.environ.get("RACE_PERMITS", "150"))
SHORT = 150
PEOPLE = 4 if PERMITS <= SHORT else 9  # odd, so that each says a no of every kind by and by
PAUSE = 0.01
ROUNDS = 6  # chance: which of two comes first is the machine's affair
MANY = 3


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with lasting_world(PEOPLE, each=1) as found:
        yield found


def raced(
    world: World, permits: int, pause: float, kind: type[InquiryRace] = InquiryRace
) -> Outcome:
    outcome = kind(world, people=PEOPLE, permits=permits, pause=pause).run(permits)
    if outcome.broken:
        raise outcome.broken[0]
    return outcome


def bad_commits(
    world: World,
    name: str,
    capsys: pytest.CaptureFixture[str],
    kind: type[InquiryRace] = InquiryRace,
) -> int:
    """How many were found in as many rounds as it takes to find many."""
    found = 0
    for _ in range(ROUNDS):
        outcome = raced(world, SHORT, PAUSE, kind)
        with capsys.disabled():
            print(f"\n  {name}, {connection.vendor}: {outcome.line()}")  # noqa: T201
        found += outcome.bad_commits()
        if found >= MANY:
            break
    return found


@pytest.mark.timeout(1800)
def test_no_permit_comes_after_a_no(world, capsys):
    many = PERMITS > SHORT
    permits = PERMITS // 10 if many and connection.vendor == "sqlite" else PERMITS  # one writer
    outcome = raced(world, permits, 0.0 if many else PAUSE, ApartRace if many else InquiryRace)
    with capsys.disabled():
        print(f"\n  {connection.vendor}: {figures(outcome)}")  # noqa: T201 - the figures are the point
    assert {no.kind for no in outcome.noes} == {"withdraw", "pause", "object", "suspend"}
    assert len(outcome.commits) >= permits, (
        f"no more in {outcome.took:.0f} s: see RACE_PERMIT_SECONDS"
    )
    assert outcome.counts["refused"]
    assert outcome.bad_commits() == 0


@pytest.mark.postgresql_only  # on SQLite one writer at a time is a lock of its own
@pytest.mark.timeout(300)
def test_without_the_locks_the_same_race_finds_many(world, capsys):
    with without_locks():
        assert bad_commits(world, "without locks", capsys) >= MANY


@pytest.mark.skipif(PERMITS <= SHORT, reason="only the long form has readers apart")
@pytest.mark.postgresql_only
@pytest.mark.timeout(300)
def test_without_the_locks_readers_apart_find_many_too(world, capsys):
    with without_locks():
        assert bad_commits(world, "without locks, apart", capsys, ApartRace) >= MANY


@pytest.mark.timeout(300)
def test_where_it_is_read_before_the_locks_the_same_race_finds_many(world, capsys):
    with read_before_the_locks():
        assert bad_commits(world, "read before", capsys) >= MANY
