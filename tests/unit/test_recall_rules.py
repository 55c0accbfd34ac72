"""Who is asked back what, and how an asking-back stands at an instant."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.rules import timing
from release.rules.recalls import MOST_PIECES, AskedBack, asked_back, state, still_there
from release.vocabulary import RecallState, Step
from tests.factories.governance import START

DUE = START + timing.DELETE_WITHIN
SECOND = timedelta(seconds=1)
DONE = dict.fromkeys(Step, START)

STATES = [
    ([], DUE - SECOND, RecallState.ASKED),
    ([], DUE, RecallState.OVERDUE),
    ([Step.ACKNOWLEDGED], DUE - SECOND, RecallState.ACKNOWLEDGED),
    ([Step.ACKNOWLEDGED], DUE, RecallState.OVERDUE),
    ([Step.OVERDUE], DUE, RecallState.OVERDUE),
    ([Step.REPORTED], DUE - SECOND, RecallState.REPORTED),
    ([Step.OVERDUE, Step.REPORTED], DUE, RecallState.REPORTED),
    ([Step.ACKNOWLEDGED, Step.OVERDUE, Step.REPORTED], DUE, RecallState.REPORTED),
]


@pytest.mark.parametrize(("steps", "at", "expected"), STATES)
def test_how_it_stands(steps, at, expected):
    assert state({step: DONE[step] for step in steps}, DUE, at) == expected


PIECES = ("about", "help", "papers")
NAMES = {"about": ("age", "region"), "help": ("needs",), "papers": ("status", "visa")}
people = st.frozensets(st.integers(0, 9))
holdings = st.fixed_dictionaries(dict.fromkeys(PIECES, people))


def slots(found):
    return np.array(sorted(found), dtype=np.int32)


def as_arrays(found):
    return {piece: slots(those) for piece, those in found.items()}


def told(found):
    """Person → the columns that are asked back of her; None: everything."""
    said = {}
    for each in found:
        for slot in each.slots.tolist():
            assert slot not in said
            said[slot] = set(each.columns) or None
    return said


@given(holdings, holdings)
def test_each_is_asked_back_what_she_lost_and_all_where_nothing_is_left(inside, lost):
    gone = {piece: those & inside[piece] for piece, those in lost.items()}
    said = told(asked_back(as_arrays(inside), as_arrays(lost), NAMES))
    for slot in range(10):
        held = {piece for piece in PIECES if slot in inside[piece]}
        without = {piece for piece in PIECES if slot in gone[piece]}
        if not without:
            assert slot not in said
        elif without == held:
            assert said[slot] is None
        else:
            assert said[slot] == {name for piece in without for name in NAMES[piece]}


@given(holdings, holdings)
def test_what_was_asked_back_is_not_asked_back_again(inside, lost):
    first = asked_back(as_arrays(inside), as_arrays(lost), NAMES)
    left = still_there(as_arrays(inside), NAMES, first)
    assert asked_back(left, as_arrays(lost), NAMES) == []


def test_what_is_lost_later_is_asked_back_by_itself():
    inside = as_arrays({"about": {1}, "help": {1}, "papers": set()})
    first = AskedBack(("needs",), slots({1}))
    left = still_there(inside, NAMES, [first])
    (later,) = asked_back(left, inside, NAMES)
    assert (later.columns, later.slots.tolist()) == ((), [1])


def test_more_pieces_than_fit_are_refused():
    many = {f"p{number}": slots({1}) for number in range(MOST_PIECES + 1)}
    with pytest.raises(ValueError, match="62 pieces"):
        asked_back(many, many, dict.fromkeys(many, ("a",)))
