"""Somebody who is in many packages is noticed without a word for her, and nobody learns who she is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from oversight.actions import cases, looking
from oversight.rules.anomalies import CROWD, Spoken
from oversight.vocabulary import Hint
from release.queries.crowds import most_often
from tests import auditing
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
MONTH = timedelta(days=30)


@pytest.fixture
def world() -> World:
    """Two of three people are in seven packages, the third in none since she said no."""
    world = small_world(3, each=1, part_rows=1)
    world.no("c-3")
    for _ in range(CROWD + 2):
        world.prepare()
    return world


def spoken(world: World, handle: bool = False) -> list[Spoken]:
    by = auditing.auditor(world)
    case = auditing.opened(world, by, "The yearly look")
    if handle:
        given = {"holder": world.home.organisation, **hand(world.home.steward)}
        for number in ("c-1", "c-3"):
            cases.issue_handle(case=case, number=number, **given)
    return [each for each in looking.hints(case=case, **hand(by)) if each.hint == Hint.CROWDED]


def test_who_is_in_many_packages_is_noticed_by_the_holder_alone(world: World) -> None:
    (only,) = spoken(world)
    assert (only.about, only.found, only.usual) == (world.home.organisation.ref, CROWD + 2, CROWD)


def test_whoever_has_a_word_in_the_case_is_told_by_it_as_well(world: World) -> None:
    found = spoken(world, handle=True)
    assert {each.found for each in found} == {CROWD + 2}
    assert len(found) == 2  # c-1 by her word, and the holder; c-3 is in none


def test_one_package_more_counts_for_those_in_it_alone(world: World) -> None:
    now = timezone.now()
    before = most_often(now - MONTH, now)
    world.no("c-1")
    world.prepare()
    after = timezone.now() + timedelta(seconds=1)
    (holder,) = before
    assert most_often(now - MONTH, after) == {holder: before[holder] + 1}
    world.no("c-2")
    world.yes("c-1")
    world.prepare()
    assert most_often(now - MONTH, timezone.now()) == {holder: before[holder] + 1}


def test_what_was_prepared_before_is_not_counted(world: World) -> None:
    later = timezone.now()
    assert most_often(later, later + MONTH) == {}
    world.prepare()
    assert set(most_often(later, timezone.now() + MONTH).values()) == {1}
