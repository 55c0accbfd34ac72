"""Eight readers against noes of every kind: nobody who said no leaves, at commit or at hand-over."""

import os
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.stateful.race import Outcome, Race, without_locks
from tests.worlds import World, lasting_world

PEOPLE = 32
# The full form (`make faults`) says a thousand; the suite's own form is long enough to bite.
NOES = int(os.environ.get("RACE_NOES", "100"))
MUTANT_NOES = 40
ROUNDS = 6  # chance: which of two comes first is the machine's affair


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with lasting_world(PEOPLE, each=1, part_rows=8) as found:
        yield found


def raced(world: World, most: int) -> Outcome:
    outcome = Race(world, people=PEOPLE).run(most)
    if outcome.broken:
        raise outcome.broken[0]
    return outcome


@pytest.mark.timeout(900)
def test_no_release_and_no_byte_comes_after_a_no(world, capsys):
    outcome = raced(world, NOES)
    with capsys.disabled():
        print(f"\n  {connection.vendor}: {outcome.line()}")  # noqa: T201 - the figures are the point
    assert {no.kind for no in outcome.noes} == {"withdraw", "pause", "object", "suspend"}
    assert len(outcome.noes) >= NOES
    assert len(outcome.commits) >= 3
    assert outcome.parts
    assert (outcome.bad_commits(), outcome.bad_parts()) == (0, 0)


@pytest.mark.timeout(300)
def test_without_the_locks_the_same_race_finds_many(world, capsys):
    commits = parts = 0
    for _ in range(ROUNDS):
        with without_locks():
            outcome = raced(world, MUTANT_NOES)
        with capsys.disabled():
            print(f"\n  without locks, {connection.vendor}: {outcome.line()}")  # noqa: T201
        commits, parts = commits + outcome.bad_commits(), parts + outcome.bad_parts()
        if commits and parts:
            return
    pytest.fail(f"{commits} bad commits and {parts} bad parts: it would not see what it looks for")
