"""One cell becomes one value or one problem, and a column says the same as its cells."""

import json
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.columns import arrow_type, read_column, texts
from release.rules.values import (
    DAY_FORMATS,
    FieldRule,
    Problem,
    Trouble,
    read_cell,
    read_day,
    read_number,
)


def rule(kind: FieldType, **given) -> FieldRule:
    return FieldRule("c", "n", kind, "about-me", FieldSensitivity.QUASI, **given)


TEXT = rule(FieldType.TEXT)
CODE = rule(FieldType.CODE, codes=("a", "b c"))
CODES = rule(FieldType.CODES, codes=("x", "y", "z"))
INTEGER = rule(FieldType.INTEGER, minimum=-5, maximum=2**63 - 1)
DECIMAL = rule(FieldType.DECIMAL, minimum=0.5)
DATE = rule(FieldType.DATE, minimum=date(2000, 1, 1), maximum=date(2024, 12, 31))
BOOLEAN = rule(FieldType.BOOLEAN)
RULES = [TEXT, CODE, CODES, INTEGER, DECIMAL, DATE, BOOLEAN]


@pytest.mark.parametrize(
    ("cell", "under", "value"),
    [
        (" kept as given ", TEXT, " kept as given "),
        ("   ", TEXT, "   "),
        ("=1+1", TEXT, "=1+1"),
        ("a", CODE, "a"),
        (" b c ", CODE, "b c"),
        ("z; x", CODES, "z;x"),
        ("007", INTEGER, 7),
        ("-5", INTEGER, -5),
        (str(2**63 - 1), INTEGER, 2**63 - 1),
        (" 12 ", INTEGER, 12),
        ("1e3", DECIMAL, 1000.0),
        (".5", DECIMAL, 0.5),
        ("2.", DECIMAL, 2.0),
        ("2024-02-29", DATE, date(2024, 2, 29)),
        ("YES", BOOLEAN, True),
        ("0", BOOLEAN, False),
    ],
)
def test_a_cell_has_a_value(cell, under, value):
    assert read_cell(cell, under) == value
    assert type(read_cell(cell, under)) is type(value)


@pytest.mark.parametrize(
    ("cell", "under", "trouble"),
    [
        ("c", CODE, Trouble.NOT_A_CODE),
        ("A", CODE, Trouble.NOT_A_CODE),
        ("x;;y", CODES, Trouble.NOT_A_CODE),
        ("x;x", CODES, Trouble.TWICE),
        ("-6", INTEGER, Trouble.BELOW),
        (str(2**63), INTEGER, Trouble.TOO_LARGE),
        ("9" * 20, INTEGER, Trouble.NOT_AN_INTEGER),
        ("1.0", INTEGER, Trouble.NOT_AN_INTEGER),
        ("1_000", INTEGER, Trouble.NOT_AN_INTEGER),
        ("1\n", TEXT, None),
        ("0.4", DECIMAL, Trouble.BELOW),
        ("1,000.5", DECIMAL, Trouble.NOT_A_DECIMAL),
        ("nan", DECIMAL, Trouble.NOT_A_DECIMAL),
        ("1e999", DECIMAL, Trouble.TOO_LARGE),
        ("2025-01-01", DATE, Trouble.ABOVE),
        ("1999-12-31", DATE, Trouble.BELOW),
        ("2024-2-3", DATE, Trouble.NOT_A_DAY),
        ("20240203", DATE, Trouble.NOT_A_DAY),
        ("2024-13-01", DATE, Trouble.NOT_A_DAY),
        ("ja", BOOLEAN, Trouble.NOT_A_BOOLEAN),
        ("a\0", TEXT, Trouble.NUL),
        ("\udcff", TEXT, Trouble.ENCODING),
        ("ñ" * 32_769, TEXT, Trouble.TOO_LONG),
    ],
)
def test_a_cell_has_a_problem(cell, under, trouble):
    found = read_cell(cell, under)
    if trouble is None:
        assert found == cell
    else:
        assert isinstance(found, Problem)
        assert found.trouble == trouble


@pytest.mark.parametrize("under", RULES, ids=lambda each: each.type.value)
def test_an_empty_cell_is_not_recorded_and_is_refused_only_where_required(under):
    required = rule(under.type, codes=under.codes, required=True)
    for cell in (None, ""):
        assert read_cell(cell, under) is None
        assert read_cell(cell, required) == Problem(Trouble.MISSING, "fill the cell")
    if under.type != FieldType.TEXT:
        assert read_cell("  ", under) is None


def test_no_problem_repeats_the_cell():
    cell = "songbird"
    for under in RULES[1:]:
        found = read_cell(cell, under)
        assert isinstance(found, Problem)
        assert cell not in found.hint
    assert isinstance(read_day(cell), Problem)


def test_a_long_list_of_codes_is_shortened_in_the_hint():
    found = read_cell("no", rule(FieldType.CODE, codes=tuple(f"k{n}" for n in range(30))))
    assert isinstance(found, Problem)
    assert found.hint.endswith("k11 and 18 more")


@pytest.mark.parametrize(
    ("cell", "number"), [(" N-1 ", "N-1"), ("", None), (None, None), ("\t", None), ("0", "0")]
)
def test_a_client_number_is_read_without_the_spaces_around_it(cell, number):
    assert read_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "trouble"),
    [("9" * 201, Trouble.TOO_LONG), ("a\0b", Trouble.NUL), ("\ud800", Trouble.ENCODING)],
)
def test_a_client_number_can_be_refused(cell, trouble):
    found = read_number(cell)
    assert isinstance(found, Problem)
    assert found.trouble == trouble


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "a", "b c", "x;y", "x", "1", "-5", "2.5", "2024-02-29", "2024-02-30", "yes"]
    ),
    st.text(max_size=8).filter(lambda text: text.isprintable() or "\0" in text),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.just("ñ" * 40_000),
)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("under", RULES, ids=lambda each: each.type.value)
@settings(deadline=None)  # the first array loads half a library
@given(cells=st.lists(CELLS, max_size=12))
def test_a_column_says_what_its_cells_say(cells, under, required):
    under = FieldRule(**{**under.__dict__, "required": required})
    column = read_column(pa.array(cells, pa.string()), under)
    outcomes = [read_cell(cell, under) for cell in cells]
    assert column.values.type == arrow_type(under.type)
    assert column.values.to_pylist() == [
        None if isinstance(each, Problem) else each for each in outcomes
    ]
    assert column.problems == [
        (row, each) for row, each in enumerate(outcomes) if isinstance(each, Problem)
    ]


ALIKE = {
    FieldType.INTEGER: st.lists(st.text("-019", max_size=20), max_size=4),
    FieldType.DECIMAL: st.lists(st.text("-09.e", max_size=7), max_size=4),
    FieldType.DATE: st.lists(
        st.from_regex(r"[0129]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True) | st.just(""), max_size=4
    ),
}


@pytest.mark.parametrize("kind", ALIKE, ids=lambda each: each.value)
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_column_of_nothing_but_digits_says_what_its_cells_say(kind, data):
    cells = data.draw(ALIKE[kind])
    least, most = data.draw(st.sampled_from([(None, None), (-5, None), (0, 90), (None, 1)]))
    days = kind == FieldType.DATE
    under = rule(
        kind,
        minimum=date(1900, 1, 1) if days and least is not None else least,
        maximum=date(2001, 1, 1) if days and most is not None else most,
    )
    column = read_column(pa.array(["", *cells], pa.string()).slice(1), under)
    outcomes = [read_cell(cell, under) for cell in cells]
    assert [repr(each) for each in column.values.to_pylist()] == [
        repr(None if isinstance(each, Problem) else each) for each in outcomes
    ]
    assert [row for row, _ in column.problems] == [
        row for row, each in enumerate(outcomes) if isinstance(each, Problem)
    ]


@settings(deadline=None)
@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=9))
def test_texts_are_the_cells(cells):
    found = texts(cells)
    found.validate(full=True)
    assert found.to_pylist() == cells


def test_a_lone_surrogate_is_no_text():
    with pytest.raises(UnicodeEncodeError):
        texts(["fine", json.loads('"\\ud83d"')])


@given(
    st.dates(min_value=date(1000, 1, 1)),
    st.sampled_from(sorted(DAY_FORMATS)),
    st.sampled_from(sorted(DAY_FORMATS)),
)
def test_a_day_is_read_in_the_stated_form_and_never_as_another_day(day, written, stated):
    text = written.replace("yyyy", f"{day.year:04d}").replace("mm", f"{day.month:02d}")
    found = read_day(text.replace("dd", f"{day.day:02d}"), stated)
    swapped = {written, stated} in (
        {"dd/mm/yyyy", "mm/dd/yyyy"},
        {"dd-mm-yyyy", "mm-dd-yyyy"},
    )
    if written in {stated, "yyyy-mm-dd"}:
        assert found == day
    elif swapped and day.day <= 12:
        assert found == date(day.year, day.day, day.month)
    else:
        assert isinstance(found, Problem)


@pytest.mark.parametrize("text", ["1/2/2024", "01/2/2024"])
def test_days_without_leading_noughts_are_read(text):
    assert read_day(text, "dd/mm/yyyy") == date(2024, 2, 1)
