"""R6, R7, R8, R9 and R31: whose yes counts, row by row."""

import pytest

from consent.rules.speaking import (
    SENTENCES,
    PersonFact,
    authority_ends,
    cannot_begin,
)
from consent.vocabulary import Speaker
from tests.spec import speaking
from tests.spec.decision import LATER, NOW, SECOND


@pytest.mark.parametrize("row", speaking.TABLE, ids=lambda row: row.says)
def test_a_yes_counts_by_who_gave_it_as_the_table_says(row):
    assert speaking.found(row) == row.against


def test_every_reason_stands_in_the_table():
    assert {code for row in speaking.TABLE for code in row.against} == set(SENTENCES)


def test_R7_no_authority_outlasts_majority():
    minor = PersonFact(minor_until=NOW + SECOND)
    assert authority_ends(LATER, minor, NOW) == NOW + SECOND
    assert authority_ends(NOW, minor, NOW) == NOW
    assert authority_ends(LATER, minor, NOW + SECOND) == LATER
    assert authority_ends(LATER, PersonFact(), NOW) == LATER


BEGINS = [
    (Speaker.PARENT, PersonFact(minor_until=LATER), None),
    (Speaker.PARENT, PersonFact(minor_until=NOW), "not_a_minor"),
    (Speaker.PARENT, PersonFact(minor_until=LATER, alone=True), "decides_alone"),
    (Speaker.GUARDIAN, PersonFact(), None),
    (Speaker.GUARDIAN, PersonFact(died_at=NOW), "died"),
    (Speaker.ESTATE, PersonFact(), "not_died"),
    (Speaker.ESTATE, PersonFact(died_at=NOW), None),
]


@pytest.mark.parametrize(("kind", "person", "code"), BEGINS)
def test_who_can_be_recorded_as_speaking_for_her(kind, person, code):
    found = cannot_begin(kind, person, NOW)
    assert (None if found is None else found.code) == code
