"""The SQL's set is the rule applied to each person; without any one clause it is not."""

from contextlib import suppress
from dataclasses import fields, replace

import pytest
from django.db import transaction
from hypothesis import find, given
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from consent.models import SlotBlock
from consent.queries.sets import CLAUSES, SMALL, Clauses, open_sets
from consent.rules import BLOCK
from consent.vocabulary import Standing
from release.rules.decide import open_people
from tests.factories import consent as said
from tests.lengths import examples
from tests.stateful.sayings import PEOPLE, PLAIN, Place, Said, holding, sayings

pytestmark = pytest.mark.django_db
EXAMPLES = examples(120)


@pytest.fixture
def place() -> Place:
    return Place()


def test_the_set_equals_the_rule_applied_to_each_person(place):
    @holding(EXAMPLES)
    @given(sayings())
    def holds(found):
        assert not place.differs(found)

    holds()


def test_the_set_of_some_people_equals_the_rule_applied_to_them(place):
    @holding(EXAMPLES // 2)
    @given(sayings(), st.sets(st.integers(0, PEOPLE - 1), min_size=1))
    def holds(found, only):
        assert not place.differs(found, only=only)

    holds()


def test_the_set_without_grounds_opens_the_same_to_the_same_people(place):
    @holding(EXAMPLES // 2)
    @given(sayings(), st.none() | st.sets(st.integers(0, PEOPLE - 1), min_size=1))
    def holds(found, only):
        slots = None if only is None else [place.people[person].pk for person in only]
        with transaction.atomic():
            place.store(found)
            whole = place.sets_of(found, slots=slots)
            part = open_sets(**place.asked(found), slots=slots)
            transaction.set_rollback(True)
        expected, opened = (open_people(each, place.groups) for each in (whole, part))
        assert opened.slots.tolist() == expected.slots.tolist()
        assert opened.groups.tolist() == expected.groups.tolist()
        assert opened.record_until.tolist() == expected.record_until.tolist()
        assert (part.earliest_end, part.others) == (whole.earliest_end, {})

    holds()


def test_a_big_holder_s_people_are_read_in_parts_and_each_is_read_once():
    place = Place()
    holder = place.holders[0]
    blocks = [SlotBlock.objects.create(holder=holder).pk for _ in range(SMALL)]
    place.people = [
        said.subject(holder=holder, slot=block * BLOCK + edge)
        for block in blocks
        for edge in (0, BLOCK - 1)
    ]
    everybody = [person.pk for person in place.people]
    running = [replace(PLAIN, person=person) for person in range(len(everybody))]
    place.store(Said((*running[::2], *(replace(each, starts=4) for each in running[1::2])), (), 2))
    sets = place.sets_of(Said((), (), 2))
    assert sorted(slot for yes in sets.yeses for slot in yes.slots.tolist()) == everybody[::2]
    assert sets.others[Standing.NOT_STARTED].tolist() == everybody[1::2]


def without(group: str, name: str) -> Clauses:
    rest = {key: sql for key, sql in getattr(CLAUSES, group).items() if key != name}
    return replace(CLAUSES, **{group: rest})


def test_without_any_one_clause_the_set_is_another(place):
    """One world after another, until each of them has been missed in one."""
    unnoticed = {
        f"{each.name}: {name}": without(each.name, name)
        for each in fields(CLAUSES)
        for name in getattr(CLAUSES, each.name)
    }
    assert len(unnoticed) > 15

    def all_noticed(found: Said) -> bool:
        for name in place.differing(found, unnoticed):
            del unnoticed[name]
        return not unnoticed

    with suppress(NoSuchExample):
        find(sayings(), all_noticed, settings=holding(800))
    assert sorted(unnoticed) == []
