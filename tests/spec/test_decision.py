"""The truth table of the decision, row by row."""

from dataclasses import replace

import numpy as np
import pytest

from release.rules.decide import RULES, Plan, Refusal, decide, whole_grounds
from release.rules.person import Opening, decide_person
from release.vocabulary import Ground
from tests.spec import decision
from tests.spec.decision import NOW, PEOPLE, UNTIL, WHOLE, alone, facts_of, whole


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.says)
def test_the_whole_is_answered_as_the_table_says(row):
    assert whole_grounds(whole(row), NOW, UNTIL) == row.grounds


@pytest.mark.parametrize("row", PEOPLE, ids=lambda row: row.says)
def test_a_person_is_answered_as_the_table_says(row):
    somebody = decision.Person("another", yes=frozenset({decision.HELP_1, decision.STATUS_1}))
    found = decide(facts_of({7: row, 8: somebody}))
    assert isinstance(found, Plan)
    place = np.flatnonzero(found.people.slots == 7)
    opened = int(found.people.groups[place[0]]) if len(place) else 0
    columns = tuple(column.name for column in found.columns if opened >> column.group & 1)
    assert columns == row.columns
    grounds = [ground for ground, slots in found.withheld.items() if 7 in slots]
    assert grounds == ([row.ground] if row.ground else [])


@pytest.mark.parametrize("row", PEOPLE, ids=lambda row: row.says)
def test_a_person_asked_about_alone_is_answered_as_the_table_says(row):
    found = decide_person(alone(row), NOW, UNTIL)
    if row.columns:
        assert isinstance(found, Opening)
        assert (found.columns, found.good_until) == (row.columns, decision.LATER)
    else:
        assert found == Refusal((row.ground or Ground.NOBODY,))


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.says)
def test_what_stands_against_the_whole_stands_against_one_person(row):
    facts = replace(
        alone(decision.Person("she", yes=frozenset({decision.HELP_1}))), whole=whole(row)
    )
    found = decide_person(facts, NOW, UNTIL)
    assert (found.grounds if isinstance(found, Refusal) else ()) == row.grounds


def test_all_people_at_once_get_what_each_gets_alone():
    people = dict(enumerate(PEOPLE, start=1))
    found = decide(facts_of(people))
    assert isinstance(found, Plan)
    leaving = {slot for slot, person in people.items() if person.columns}
    assert set(found.people.slots.tolist()) == leaving
    withheld = {slot for slots in found.withheld.values() for slot in slots.tolist()}
    assert withheld == {s for s, p in people.items() if p.ground}


def test_nobody_is_a_refusal_and_not_an_empty_package():
    assert decide(facts_of({1: PEOPLE[0]})) == Refusal((Ground.NOBODY,))


def test_a_plan_is_good_until_the_earliest_end_it_relies_on():
    found = decide(facts_of({1: PEOPLE[1]}))
    assert isinstance(found, Plan)
    assert found.good_until == decision.LATER


def test_every_ground_names_its_rule():
    assert set(RULES) == set(Ground)
