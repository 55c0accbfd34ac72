"""What is guessed of a column, and what is never shown of one."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.drafts import FileFacts, draft, plain_name, quoted
from release.rules.mapping import FileFormat
from release.rules.profiles import ColumnSummary, guess_type
from release.rules.suggestions import StandardShape, likely_fields, meaning, words_of

GENDER = StandardShape(
    "prs_Gender", "picklist", "about-me", FieldSensitivity.QUASI, False, ("F", "M", "X")
)
BIRTH = StandardShape(
    "prs_Birthdate", "date", "who-i-am", FieldSensitivity.DIRECT, narrative=False, codes=()
)


def column(name: str = "c", *, rows: int = 100, **given) -> ColumnSummary:
    usual: dict[str, Any] = {"place": 1, "filled": rows, "distinct": 5, "longest": 5, "spaced": 0}
    usual |= {"fits": {}, "values": None, "parts": None}
    return ColumnSummary(name=name, rows=rows, **{**usual, **given})


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (column(filled=0), FieldType.TEXT),
        (column(fits={"boolean": 100}), FieldType.BOOLEAN),
        (column(fits={"integer": 100, "decimal": 100}), FieldType.INTEGER),
        (column(fits={"decimal": 100, "integer": 40}), FieldType.DECIMAL),
        (column(fits={"integer": 94, "decimal": 94}), FieldType.TEXT),
        (column(fits={"integer": 100, "decimal": 100, "zeros": 5}), FieldType.TEXT),
        (column(fits={"comma": 100}), FieldType.TEXT),
        (column(fits={"yyyy-mm-dd": 100}), FieldType.DATE),
        (column(fits={"moment": 100}), FieldType.TEXT),
        (column(values={"a": 50, "b": 50}), FieldType.CODE),
        (column(values={"a": 10, "b": 10}), FieldType.TEXT),
        (column(values={"a": 50, "b": 50}, distinct=60), FieldType.TEXT),
        (
            column(fits={"several": 5}, values={"a;b": 5}, parts={"a": 50, "b": 50}),
            FieldType.CODES,
        ),
        (
            column(
                fits={"integer": 100, "decimal": 100}, values={"0": 50, "1": 50}, least=0, most=1
            ),
            FieldType.CODE,
        ),
    ],
)
def test_a_type_is_guessed_from_nearly_all_cells(found, kind):
    assert guess_type(found).type == kind


def test_two_readings_of_days_are_never_settled_by_guessing():
    found = column(fits={"dd/mm/yyyy": 100, "mm/dd/yyyy": 100})
    guess = guess_type(found)
    assert guess.day_formats == ("dd/mm/yyyy", "mm/dd/yyyy")
    assert "cannot say which" in guess.unsure[0]
    assert guess_type(column(fits={"dd/mm/yyyy": 100, "mm/dd/yyyy": 99})).day_formats == (
        "dd/mm/yyyy",
    )


def test_cells_that_do_not_fit_are_counted_only_from_eleven_on():
    few = guess_type(column(rows=1000, fits={"boolean": 995}))
    many = guess_type(column(rows=1000, fits={"boolean": 989}))
    assert "Fewer than 11 rows do not fit" in few.unsure[0]
    assert "11 rows do not fit" in many.unsure[0]


@given(st.dictionaries(st.text("abcd", min_size=1), st.integers(1, 30), min_size=1, max_size=30))
def test_no_code_of_fewer_than_eleven_rows_is_shown(words):
    rows = sum(words.values())
    guess = guess_type(column(rows=max(rows, 100), filled=rows, distinct=1, values=words))
    assert set(guess.codes) <= {word for word, count in words.items() if count >= 11}


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_limit_is_nobodys_number(one, other):
    least, most = sorted([one, other])
    found = column(fits={"integer": 100, "decimal": 100}, least=least, most=most)
    guess = guess_type(found)
    assert guess.minimum == 0
    assert guess.maximum is None or guess.maximum > most


def test_a_column_is_likened_by_its_name_and_by_its_values():
    by_name = column("Sex", values={"F": 50, "M": 50})
    by_values = column("q7", values={"F": 50, "M": 40, "X": 10})
    neither = column("Sex", values={"k": 50, "w": 50})
    assert [each[1] for each in likely_fields(by_name, FieldType.CODE, [GENDER])] == [GENDER]
    assert [each[2] for each in likely_fields(by_values, FieldType.CODE, [GENDER])] == [
        "its values are those of the standard"
    ]
    assert likely_fields(neither, FieldType.CODE, [GENDER]) == []
    assert likely_fields(by_name, FieldType.DATE, [GENDER]) == []


@pytest.mark.parametrize(
    ("found", "sensitivity", "narrative"),
    [
        (column("q9", fits={"email": 60}), FieldSensitivity.DIRECT, False),
        (column("Full name"), FieldSensitivity.DIRECT, False),
        (column("caseworker"), FieldSensitivity.DIRECT, False),
        (column("Home city"), FieldSensitivity.LOCATION, False),
        (column("q9"), FieldSensitivity.SENSITIVE, False),
        (column("q9", longest=200, spaced=80), FieldSensitivity.SENSITIVE, True),
        (column("Comments"), FieldSensitivity.SENSITIVE, True),
    ],
)
def test_what_nobody_can_tell_is_taken_for_sensitive(found, sensitivity, narrative):
    what = meaning(found, FieldType.TEXT, None, "")
    assert (what.sensitivity, what.narrative) == (sensitivity, narrative)


def test_words_of_a_name_are_read_in_one_spelling():
    assert words_of("prs_HighestLevelOfEducation") >= {"highest", "education"}
    assert words_of("DOB") == words_of("birthdate")
    assert words_of("Género") == {"gender"}


@given(st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=8, unique=True))
def test_whatever_columns_are_called_the_draft_is_toml_with_names_of_their_own(names):
    columns = [
        column(name, place=at, values={"a": 60, "b": 40}) for at, name in enumerate(names, start=1)
    ]
    table = tomllib.loads(draft(FileFacts(FileFormat.CSV, 100, 0), columns, [GENDER, BIRTH]))
    fields = [each["name"] for each in table.get("field", [])]
    assert len({name.lower() for name in fields}) == len(fields)
    drafted = [each["column"] for each in table.get("field", [])]
    drafted += table.get("ignore", {}).get("columns", []) + table["person"].get("columns", [])
    assert sorted(drafted) == sorted(names)


@given(st.text(max_size=200))
def test_any_text_is_quoted_as_toml_reads_it(text):
    assert tomllib.loads(f"a = {quoted(text)}")["a"] == text


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Säx", "sax"), ("1st", "field_1st"), ("湖", "field_4"), ("person", "field_person")],
)
def test_a_fields_name_is_plain(name, plain):
    assert plain_name(name, 4) == plain
