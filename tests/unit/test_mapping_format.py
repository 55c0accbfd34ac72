"""A mapping file says what it means, or everything that is wrong with it."""

from datetime import date
from pathlib import Path

import pytest

from common.errors import BadInput
from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.mapping import FileFormat, Sheet, StandardFact, parse
from release.rules.values import FieldRule

BASE_DIR = Path(__file__).resolve().parents[2]
STANDARD = {
    "prs_Gender": StandardFact(
        "about-me", FieldSensitivity.QUASI, narrative=False, codes=("F", "M")
    ),
    "cas_Story": StandardFact("case-steps", FieldSensitivity.SENSITIVE, narrative=True, codes=()),
}
WHOLE = """
format = "csv"
encoding = "utf-16"
delimiter = ";"
reject_share = 0.02
[person]
columns = ["client", "other"]
[record]
date = "day"
[[field]]
column = "gender"
name = "prs_Gender"
type = "code"
catalogue = true
required = true
[[field]]
column = "story"
name = "cas_Story"
type = "text"
catalogue = true
[[field]]
column = "age"
name = "age"
type = "integer"
category = "about-me"
sensitivity = "quasi"
minimum = 0
maximum = 120
[ignore]
columns = ["notes"]
"""


def test_a_whole_mapping_is_read():
    found = parse(WHOLE.encode(), standard=STANDARD)
    assert (found.format, found.encoding, found.delimiter) == (FileFormat.CSV, "utf-16", ";")
    assert found.reject_share == 0.02
    assert (found.person_columns, found.people_per_row) == (("client", "other"), 2)
    assert (found.day_column, found.day) == ("day", None)
    assert found.ignored == ("notes",)
    assert found.wanted() == ["client", "other", "gender", "story", "age", "day"]
    assert found.fields == (
        FieldRule(
            "gender",
            "prs_Gender",
            FieldType.CODE,
            "about-me",
            FieldSensitivity.QUASI,
            codes=("F", "M"),
            required=True,
        ),
        FieldRule(
            "story",
            "cas_Story",
            FieldType.TEXT,
            "case-steps",
            FieldSensitivity.SENSITIVE,
            narrative=True,
        ),
        FieldRule(
            "age",
            "age",
            FieldType.INTEGER,
            "about-me",
            FieldSensitivity.QUASI,
            minimum=0,
            maximum=120,
        ),
    )


def test_the_digest_is_of_the_bytes_as_given():
    one = parse(WHOLE.encode(), standard=STANDARD)
    other = parse((WHOLE + "# a remark\n").encode(), standard=STANDARD)
    assert one.sha256 != other.sha256
    assert one.fields == other.fields


def test_a_row_can_be_a_person_of_its_own_on_a_fixed_day():
    text = WHOLE.replace('columns = ["client", "other"]', "row_number = true")
    found = parse(text.replace('date = "day"', "fixed = 2025-01-01").encode(), standard=STANDARD)
    assert (found.person_columns, found.people_per_row) == ((), 1)
    assert (found.day_column, found.day) == (None, date(2025, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('format = "csv"', 'format = "ods"', "format: 'ods' is not one of"),
        ("[person]", '[sheet]\nname = "x"\n[person]', '[sheet] is for format = "xlsx" only'),
        ('date = "day"', 'date = "day"\ndate_format = "d/m/y"', "[record]: date_format is one of"),
        ("minimum = 0", 'date_format = "dd/mm/yyyy"', "only dates have a date_format"),
        ('"utf-16"', '"utf-7"', "encoding: 'utf-7'"),
        ('";"', '"ab"', "delimiter: 'ab'"),
        ("0.02", "0.9", "reject_share: write a share"),
        ("0.02", "true", "reject_share: write a share"),
        ("reject_share", "reject_part", "'reject_part' means nothing here"),
        ('columns = ["client", "other"]', "", "[person]: write columns"),
        ('columns = ["client", "other"]', "columns = []", "[person]: write columns"),
        ('["client", "other"]', '["client"]\nrow_number = true', "one of the two"),
        ('["client", "other"]', "[1]", "[person] columns: write a list of words"),
        ('["client", "other"]', '["client", "client"]', "a word stands there twice"),
        ('["client", "other"]', str([f"c{n}" for n in range(9)]), "at most 8 people"),
        ('["client", "other"]', '["client", "age"]', "'age' holds client numbers"),
        ('["client", "other"]', '["client", "day"]', "'day' holds client numbers"),
        ('date = "day"', "", "[record]: write date"),
        ('date = "day"', 'date = "day"\nfixed = 2025-01-01', "[record]: write date"),
        ('date = "day"', "fixed = 2025-01-01T00:00:00", "[record]: write date"),
        ('"story"', '"gender"', "'gender' becomes two fields"),
        ('"cas_Story"', '"cas_story"', "no field of this name"),
        ('name = "age"', 'name = "PRS_gender"', "prs_gender stands there twice"),
        ('name = "age"', 'name = "_slot"', "Field 3 (_slot): name is a letter"),
        ('name = "age"', "", "Field 3: name is a letter"),
        ('column = "age"', "", "Field 3 (age): column says"),
        ('"integer"', '"number"', "Field 3 (age): type is one of text, code"),
        ('"integer"', '"code"', "write the list of codes"),
        ('"integer"', '"date"', "minimum does not fit the type date"),
        ('"integer"', '"text"', "maximum does not fit the type text"),
        ("minimum = 0", "minimum = 0.5", "minimum does not fit the type integer"),
        ("minimum = 0", "minimum = 121", "minimum lies above maximum"),
        ('category = "about-me"', "", "category says which data category"),
        ('"quasi"', '"secret"', "sensitivity is one of direct"),
        ("minimum = 0", 'codes = ["x"]', "only code and codes have a list"),
        ("required = true", 'required = "yes"', "required is true or false"),
        ("required = true", 'category = "where"', "with catalogue = true"),
        ("required = true", 'codes = [" F"]', "no spaces around it"),
        ("required = true", "colour = 1", "'colour' means nothing here"),
        ('["notes"]', '["age"]', "'age' is ignored and used at once"),
        ("[ignore]\ncolumns", "[ignore]\nrows", "'rows' means nothing here"),
        ("[[field]]", "[field]", "not TOML"),
        ("[person]", "person = 1\n[other]", "[person] is a section"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said(old, new, says):
    assert old in WHOLE
    with pytest.raises(BadInput) as refused:
        parse(WHOLE.replace(old, new, 1 if old == "[person]" else -1).encode(), standard=STANDARD)
    assert says in refused.value.message


def test_everything_wrong_is_said_at_once():
    text = WHOLE.replace("0.02", "2").replace('"integer"', '"whole"').replace('"day"', "1")
    with pytest.raises(BadInput) as refused:
        parse(text.encode(), standard=STANDARD)
    assert len(refused.value.message.splitlines()) == 3


def test_no_fields_too_many_and_no_toml_are_refused():
    head = WHOLE.split("[[field]]")[0]
    one = '[[field]]\ncolumn="c{0}"\nname="n{0}"\ntype="text"\ncategory="x"\nsensitivity="quasi"\n'
    many = head + "".join(one.format(number) for number in range(2001))
    for text, says in ((head, "this one has 0"), (many, "this one has 2001"), ("=", "not TOML")):
        with pytest.raises(BadInput, match=says):
            parse(text.encode(), standard=STANDARD)
    with pytest.raises(BadInput, match="not TOML in UTF-8"):
        parse("ñ = 1".encode("latin-1"), standard=STANDARD)


@pytest.mark.parametrize("codes", ['["a;b"]', '["a", ""]'])
def test_codes_of_which_several_may_stand_hold_no_semicolon_and_are_not_empty(codes):
    text = WHOLE.replace('type = "code"', 'type = "codes"').replace(
        "required = true", f"codes = {codes}"
    )
    with pytest.raises(BadInput, match=r"semicolon|list of words"):
        parse(text.encode(), standard=STANDARD)


@pytest.mark.parametrize(
    "name",
    [
        "docs/mappings/ctdc-north-america.toml",
        "release/management/demo/mapping-cases.toml",
        "release/management/demo/mapping-health.toml",
    ],
)
def test_the_shipped_mappings_are_read(name):
    class Anything(dict[str, StandardFact]):
        def __missing__(self, key: str) -> StandardFact:
            return StandardFact("about-me", FieldSensitivity.QUASI, narrative=False, codes=("a",))

        def __contains__(self, key: object) -> bool:
            return True

        def get(self, key, default=None):
            return self[key]

    assert parse((BASE_DIR / name).read_bytes(), standard=Anything()).fields


SHEET = WHOLE.replace('"csv"', '"xlsx"') + "[sheet]\n"


def test_a_mapping_says_which_sheet_and_which_rows_are_read():
    assert parse(WHOLE.encode(), standard=STANDARD).sheet == Sheet(None, 1, 2, hidden=False)
    text = SHEET + 'name = "A"\nheader_row = 3\nhidden = true'
    assert parse(text.encode(), standard=STANDARD).sheet == Sheet("A", 3, 4, hidden=True)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('name = ""', "name says which sheet"),
        ("name = 1", "name says which sheet"),
        ("header_row = 0", "header_row is the number of a row, 1 to 100"),
        ("header_row = true", "header_row is the number"),
        ("header_row = 3\nfirst_row = 3", "first_row is the number of a row, 4 to 100"),
        ("hidden = 1", "hidden is true or false"),
        ("rows = 1", "'rows' means nothing here"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said(section, says):
    with pytest.raises(BadInput) as refused:
        parse((SHEET + section).encode(), standard=STANDARD)
    assert says in refused.value.message
