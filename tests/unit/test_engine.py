"""The plan over rows: which rows and cells of a sealed part leave, and who is then in it."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import NotReady
from governance.vocabulary import FieldType, PackageFormat
from release.engine.parts import Limits
from release.engine.rows import person_keys
from release.rules.decide import People
from tests.sealed import DAY, Bench, Line, people, shape

ANNA, BEA, CLEO = 7, 300_001, 2_000_000_000
AGE, PLACE = 0b01, 0b10
TWO = (("age", 0, FieldType.TEXT), ("place", 1, FieldType.TEXT))
ONE_EACH = shape(*TWO)
PAIRS = shape(*TWO, people_per_row=2)
THREES = shape(*TWO, people_per_row=3)
CELLS = ("18-24", "north")


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def cells(bench, written):
    """What left, person keys aside."""
    return [row[1:] for row in bench.rows(written)]


def inside(written):
    return dict(zip(written.slots.tolist(), written.groups.tolist(), strict=True))


def test_each_person_s_rows_carry_only_the_groups_she_opened(bench):
    lines = [Line((each,), CELLS) for each in (ANNA, BEA, CLEO)]
    written = bench.run(ONE_EACH, lines, people({ANNA: AGE, BEA: PLACE, CLEO: AGE | PLACE}))
    by_key = {row[0]: row[1:] for row in bench.rows(written)}
    keys = person_keys(bench.key, np.array([ANNA, BEA, CLEO], np.int32)).to_pylist()
    assert [by_key[key] for key in keys] == [("18-24", None), (None, "north"), CELLS]
    assert inside(written) == {ANNA: AGE, BEA: PLACE, CLEO: AGE | PLACE}
    assert (written.rows, written.slots.dtype) == (3, np.int32)


def test_a_row_without_any_open_group_stays(bench):
    lines = [Line((ANNA,), CELLS), Line((BEA,), CELLS)]
    written = bench.run(ONE_EACH, lines, people({ANNA: AGE, BEA: 0}))
    assert cells(bench, written) == [("18-24", None)]
    assert inside(written) == {ANNA: AGE}
    assert written.in_period.tolist() == [ANNA]


def test_somebody_the_plan_does_not_know_stays(bench):
    written = bench.run(ONE_EACH, [Line((ANNA,), CELLS), Line((BEA,), CELLS)], people({ANNA: AGE}))
    assert written.rows == 1
    assert inside(written) == {ANNA: AGE}


def test_a_part_without_anybody_in_the_plan_gives_nothing(bench):
    assert bench.run(ONE_EACH, [Line((ANNA,), CELLS)], people({BEA: AGE})) is None
    assert list(bench.store.names("packages")) == []


def test_a_part_of_which_no_row_leaves_has_no_file_but_says_whose_was_in_time(bench):
    written = bench.run(PAIRS, [Line((ANNA, BEA), CELLS)], people({ANNA: AGE, BEA: PLACE}))
    assert (written.rows, written.name, written.size, written.sha256) == (0, "", 0, "")
    assert written.slots.tolist() == []
    assert written.in_period.tolist() == [ANNA, BEA]
    assert list(bench.store.names("packages")) == []


def test_what_was_recorded_on_the_last_day_leaves_and_the_day_after_stays(bench):
    lines = [Line((ANNA,), (str(day), "x"), DAY + timedelta(days=day)) for day in (-1, 0, 1)]
    written = bench.run(ONE_EACH, lines, people({ANNA: (AGE, DAY)}))
    assert sorted(cells(bench, written)) == [("-1", None), ("0", None)]
    assert written.in_period.tolist() == [ANNA]


def test_who_has_only_later_rows_is_neither_inside_nor_in_time(bench):
    lines = [Line((ANNA,), CELLS), Line((BEA,), CELLS)]
    written = bench.run(ONE_EACH, lines, people({ANNA: AGE, BEA: (AGE, DAY - timedelta(days=1))}))
    assert written.in_period.tolist() == [ANNA]
    assert inside(written) == {ANNA: AGE}


def test_a_row_of_no_known_day_stays(bench):
    written = bench.run(
        ONE_EACH, [Line((ANNA,), CELLS, None), Line((ANNA,), ("60+", "x"))], people({ANNA: AGE})
    )
    assert cells(bench, written) == [("60+", None)]


@pytest.mark.parametrize(
    ("other", "left"),
    [
        (AGE | PLACE, [CELLS]),
        (PLACE, [(None, "north")]),
        (0, []),
        (None, []),
        ((AGE | PLACE, DAY), [CELLS]),
        ((AGE | PLACE, DAY - timedelta(days=1)), []),
    ],
    ids=["all", "one group", "none", "unknown", "her last day", "past her last day"],
)
@pytest.mark.parametrize("order", [(ANNA, BEA), (BEA, ANNA)], ids=["first", "second"])
def test_a_row_that_names_two_leaves_with_what_both_opened(bench, order, other, left):
    who = {ANNA: AGE | PLACE} if other is None else {ANNA: AGE | PLACE, BEA: other}
    written = bench.run(PAIRS, [Line(order, CELLS)], people(who))
    assert cells(bench, written) == left
    assert set(inside(written)) == ({ANNA, BEA} if left else set())


@pytest.mark.parametrize("short", [0, 1, 2])
def test_a_row_that_names_three_needs_all_three(bench, short):
    who = {ANNA: AGE | PLACE, BEA: AGE | PLACE, CLEO: AGE | PLACE}
    three = Line((ANNA, BEA, CLEO), CELLS)
    assert cells(bench, bench.run(THREES, [three], people(who))) == [CELLS]
    who[list(who)[short]] = PLACE
    written = bench.run(THREES, [three], people(who))
    assert cells(bench, written) == [(None, "north")]
    assert inside(written) == dict.fromkeys(who, PLACE)


def test_a_column_for_a_second_person_that_is_empty_asks_nobody(bench):
    lines = [Line((ANNA, None), CELLS), Line((ANNA, None, None), CELLS)]
    assert cells(bench, bench.run(THREES, lines, people({ANNA: AGE}))) == [("18-24", None)] * 2


def test_whom_only_another_person_s_row_names_was_in_time_though_nothing_leaves(bench):
    """So that she reads that another person did not say yes, and not a wrong reason."""
    lines = [Line((ANNA, BEA), CELLS), Line((BEA, CLEO), CELLS)]
    written = bench.run(PAIRS, lines, people({CLEO: AGE}))
    assert written.in_period.tolist() == [CLEO]
    assert written.rows == 0


def test_a_package_is_ordered_by_person_key_and_not_by_our_slots(bench):
    slots = list(range(1, 41))
    written = bench.run(
        ONE_EACH, [Line((slot,), CELLS) for slot in slots], people(dict.fromkeys(slots, AGE))
    )
    left = [row[0] for row in bench.rows(written)]
    assert left == sorted(left)
    assert left != person_keys(bench.key, np.array(slots, np.int32)).to_pylist()


def test_one_person_has_one_key_in_every_part_and_another_one_under_another_agreement(bench):
    def called(number):
        source = bench.part(ONE_EACH, [Line((ANNA,), CELLS)], number)
        (written,) = bench.write(ONE_EACH, [source], people({ANNA: AGE}))
        return bench.rows(written)[0][0]

    first, second = called(1), called(2)
    bench.key = bytes(32)
    assert first == second
    assert called(3) != first


def test_no_two_people_share_a_key_and_no_key_shows_a_slot():
    slots = np.array([0, 1, 255, 256, 65_536, CLEO, 2**31 - 1], np.int32)
    keys = person_keys(bytes(range(32)), slots).to_pylist()
    assert len(set(keys)) == len(slots)
    assert all(len(key) == 32 for key in keys)
    assert not any(f"{slot:08x}" in key for slot in slots.tolist() for key in keys if slot > 65_535)


def test_no_column_of_ours_leaves(bench):
    written = bench.run(THREES, [Line((ANNA,), CELLS)], people({ANNA: AGE}))
    assert bench.table(written).column_names == ["person", "age", "place"]


def test_a_column_that_was_not_approved_is_absent_and_not_only_empty(bench):
    """The sealed part holds it; of the package not even its name is there."""
    source = bench.part(ONE_EACH, [Line((ANNA,), CELLS)])
    (written,) = bench.write(shape(TWO[0]), [source], people({ANNA: AGE | PLACE}))
    assert bench.table(written).column_names == ["person", "age"]
    assert b"place" not in bench.clear(written)
    assert b"north" not in bench.clear(written)


def test_no_word_of_a_cell_that_stays_is_anywhere_in_what_leaves(bench):
    """Words travel as numbers into a part's list of words: the list itself stays here."""
    lines = [
        Line((ANNA,), ("her-own-word", "her-closed-word")),
        Line((BEA,), ("word-of-another", "her-closed-word")),
        Line((ANNA,), ("word-after-her-day", "x"), DAY + timedelta(days=1)),
    ]
    written = bench.run(ONE_EACH, lines, people({ANNA: (AGE, DAY)}))
    clear = bench.clear(written)
    assert b"her-own-word" in clear
    for word in (b"her-closed-word", b"word-of-another", b"word-after-her-day"):
        assert word not in clear


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@now", "\tx", "\rx", "\nx"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(bench, cell):
    made = shape(*TWO, format=PackageFormat.CSV)
    written = bench.run(made, [Line((ANNA,), (cell, "a=b"))], people({ANNA: AGE | PLACE}))
    header, row = bench.sheet(written)
    assert header == ["person", "age", "place"]
    assert row[1:] == [f"'{cell}", "a=b"]


@pytest.mark.parametrize("kind", [FieldType.TEXT, FieldType.CODE, FieldType.CODES])
def test_every_kind_of_words_is_made_harmless(bench, kind):
    made = shape(("words", 0, kind), format=PackageFormat.CSV)
    written = bench.run(made, [Line((ANNA,), ("=1",))], people({ANNA: AGE}))
    assert bench.sheet(written)[1][1] == "'=1"


def test_a_negative_number_in_a_spreadsheet_stays_a_number(bench):
    made = shape(("visits", 0, FieldType.INTEGER), format=PackageFormat.CSV)
    written = bench.run(made, [Line((ANNA,), (-5,))], people({ANNA: AGE}))
    assert bench.sheet(written)[1][1] == "-5"


def test_a_parquet_package_keeps_cells_as_they_are_and_columns_of_their_types(bench):
    values = {
        FieldType.TEXT: ("=1+1", pa.string()),
        FieldType.CODE: ("north", pa.string()),
        FieldType.CODES: ("a;b", pa.string()),
        FieldType.INTEGER: (2**62, pa.int64()),
        FieldType.DECIMAL: (0.1, pa.float64()),
        FieldType.DATE: (date(2024, 2, 29), pa.date32()),
        FieldType.BOOLEAN: (False, pa.bool_()),
    }
    assert set(values) == set(FieldType)
    made = shape(*((kind.value, 0, kind) for kind in values))
    lines = [
        Line((ANNA,), tuple(value for value, _ in values.values())),
        Line((ANNA,), tuple(None for _ in values)),
    ]
    written = bench.run(made, lines, people({ANNA: AGE}))
    assert bench.table(written).schema.types == [
        pa.string(),
        *(kind for _, kind in values.values()),
    ]
    left = {row[1:] for row in bench.rows(written)}
    assert left == {tuple(value for value, _ in values.values()), (None,) * len(values)}


def test_masked_columns_of_every_type_are_empty(bench):
    made = shape(*((kind.value, 1, kind) for kind in FieldType), ("open", 0, FieldType.TEXT))
    full = ("a", "b", "c", 1, 2.0, DAY, True)
    kinds = ("text", "code", "codes", "integer", "decimal", "date", "boolean")
    named = dict(zip(kinds, full, strict=True))
    line = Line((ANNA,), (*(named[kind.value] for kind in FieldType), "x"))
    written = bench.run(made, [line], people({ANNA: AGE}))
    assert cells(bench, written) == [(None,) * len(FieldType) + ("x",)]


def test_the_highest_group_opens_and_closes_like_any_other(bench):
    made = shape(("low", 0, FieldType.TEXT), ("high", 61, FieldType.TEXT))
    written = bench.run(made, [Line((ANNA,), ("a", "b"))], people({ANNA: 1 << 61}))
    assert cells(bench, written) == [(None, "b")]


def test_what_is_written_is_sealed_to_the_recipient_alone_and_told_by_size_and_digest(bench):
    written = bench.run(ONE_EACH, [Line((ANNA,), CELLS)], people({ANNA: AGE}))
    sealed = bench.store.open(written.name)
    stored = bench.store.put("packages/one/again.age", sealed)
    assert (written.size, written.sha256) == (stored.size, stored.sha256)
    assert b"18-24" not in sealed
    bench.recipient, bench.holder = bench.holder, bench.recipient
    with pytest.raises(NotReady) as refusal:
        bench.clear(written)
    assert refusal.value.code == "not_opened"


def test_a_part_that_was_changed_stops_the_release(bench):
    source = bench.part(ONE_EACH, [Line((ANNA,), CELLS)])
    sealed = bench.store.open(source.name)
    bench.store.put(source.name, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(NotReady) as refusal:
        bench.write(ONE_EACH, [source], people({ANNA: AGE}))
    assert refusal.value.code == "part_changed"


def test_a_part_of_another_loading_in_its_place_stops_the_release(bench):
    """It opens with the holder's key; only the digest tells that it is not what was loaded."""
    source = bench.part(ONE_EACH, [Line((ANNA,), CELLS)])
    bench.part(ONE_EACH, [Line((ANNA,), ("60+", "south"))])
    with pytest.raises(NotReady) as refusal:
        bench.write(ONE_EACH, [source], people({ANNA: AGE}))
    assert refusal.value.code == "part_changed"


def test_a_part_that_is_gone_stops_the_release(bench):
    source = bench.part(ONE_EACH, [Line((ANNA,), CELLS)])
    bench.store.delete(source.name)
    with pytest.raises(NotReady) as refusal:
        bench.write(ONE_EACH, [source], people({ANNA: AGE}))
    assert refusal.value.code == "part_missing"


def test_many_parts_side_by_side_come_back_in_order_each_with_its_own_people(bench):
    sources = [bench.part(ONE_EACH, [Line((slot,), CELLS)], slot) for slot in range(1, 9)]
    everybody = people(dict.fromkeys(range(1, 9), AGE))
    found = bench.write(ONE_EACH, sources, everybody, limits=Limits(512, 2))
    assert [written.source for written in found] == sources
    assert [written.slots.tolist() for written in found] == [[slot] for slot in range(1, 9)]


@given(
    st.sets(st.integers(0, 40)),
    st.lists(st.integers(-5, 50), max_size=30),
)
def test_the_people_of_a_part_are_those_that_are_looked_up(known, named):
    slots = np.array(sorted(known), dtype=np.int32)
    everybody = People(slots, slots.astype(np.int64) + 1, slots * 2)
    found = everybody.among(np.array(named, dtype=np.int32))
    assert found.slots.tolist() == sorted(known & set(named))
    assert found.groups.tolist() == [slot + 1 for slot in found.slots.tolist()]
    assert found.record_until.tolist() == [slot * 2 for slot in found.slots.tolist()]
