"""Who is inside a part, from names and days alone, against a reading row by row."""

from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from release.rules.decide import People
from release.rules.named import NEVER, NOBODY, found, inside, named

SLOTS = st.integers(0, 6)
DAYS = st.sampled_from([0, 1, 2, NEVER])


@st.composite
def rows_and_words(draw):
    """Rows (who, day) of one width, and what each known person opened until which day."""
    width = draw(st.integers(1, 3))
    others = st.lists(st.just(NOBODY) | SLOTS, min_size=width - 1, max_size=width - 1)
    who = st.builds(lambda first, rest: (first, *rest), SLOTS, others)
    rows = draw(st.lists(st.tuples(who, DAYS), min_size=1, max_size=40))
    return rows, draw(st.dictionaries(SLOTS, st.tuples(st.integers(0, 7), st.integers(0, 2))))


def table(rows):
    return (
        np.array([who for who, _ in rows], dtype=np.int32),
        np.array([day for _, day in rows], dtype=np.int32),
    )


def known(words):
    slots = sorted(words)
    return People(
        np.array(slots, np.int32),
        np.array([words[slot][0] for slot in slots], np.int64),
        np.array([words[slot][1] for slot in slots], np.int32),
    )


@given(world=rows_and_words())
def test_the_first_day_of_each_combination_says_what_every_row_says(world):
    rows, words = world
    leaving, in_period = {}, set()
    for who, day in rows:
        opened = {
            slot: words[slot][0] if slot in words and day <= words[slot][1] else 0
            for slot in who
            if slot != NOBODY
        }
        both = reduce(int.__and__, opened.values())
        for slot, groups in opened.items():
            if groups:
                in_period.add(slot)
            if both:
                leaving[slot] = leaving.get(slot, 0) | both
    got = inside(named(*table(rows)), known(words))
    assert dict(zip(got.slots.tolist(), got.groups.tolist(), strict=True)) == leaving
    assert got.slots.tolist() == sorted(leaving)
    assert got.in_period.tolist() == sorted(in_period)


@given(world=rows_and_words())
def test_every_row_finds_its_own_combination_and_everybody_is_named(world):
    rows, words = world
    those = named(*table(rows))
    assert [tuple(who) for who in those.slots[those.row].tolist()] == [who for who, _ in rows]
    assert len({tuple(who) for who in those.slots.tolist()}) == len(those.slots)
    assert those.people().tolist() == sorted({slot for who, _ in rows for slot in who} - {NOBODY})
    here, at = found(those, known(words))
    slots = known(words).slots
    for combination, yes, places in zip(those.slots, here, at, strict=True):
        for slot, is_known, place in zip(combination, yes, places, strict=True):
            assert is_known == (slot in words)
            assert not is_known or slots[place] == slot


def test_a_part_without_rows_names_nobody():
    those = named(np.empty((0, 1), np.int32), np.empty(0, np.int32))
    assert those.people().tolist() == []
    assert inside(those, known({1: (1, 1)})).slots.tolist() == []
