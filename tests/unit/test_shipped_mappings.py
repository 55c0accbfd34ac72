"""The mapping files that ship: well formed, classified, and covering the files they are for."""

import csv
import re
import tomllib
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
DEMO = BASE_DIR / "release" / "management" / "demo"
MAPPINGS = {
    "cases": DEMO / "mapping-cases.toml",
    "health": DEMO / "mapping-health.toml",
    "ctdc": BASE_DIR / "docs" / "mappings" / "ctdc-north-america.toml",
}
KEYS = {
    "column",
    "name",
    "type",
    "codes",
    "catalogue",
    "category",
    "sensitivity",
    "narrative",
    "minimum",
    "maximum",
    "required",
}
CATALOGUE = tomllib.loads(
    (BASE_DIR / "governance" / "catalogue" / "htcds-2.0.toml").read_text(encoding="utf-8")
)
STANDARD = {field["name"]: field for field in CATALOGUE["field"]}
CATEGORIES = {category["code"] for category in CATALOGUE["category"]}
# The kinds of column in which a field of the standard may stand.
TYPES_FOR = {
    "picklist": {"code"},
    "multipicklist": {"codes"},
    "number": {"integer", "decimal"},
    "date": {"date"},
    "checkbox": {"boolean"},
    "text": {"text", "code"},
    "longtext": {"text"},
    "lookup": {"text", "code"},
    "geolocation": {"decimal", "text"},
}


def load(which: str) -> dict[str, Any]:
    return tomllib.loads(MAPPINGS[which].read_text(encoding="utf-8"))


def ctdc_rows() -> list[dict[str, str]]:
    path = BASE_DIR.parent / "shared" / "data" / "ctdc" / "north_america.csv"
    if not path.is_file():
        pytest.skip("the CTDC North America file is not on this machine")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("which", MAPPINGS)
def test_a_mapping_says_the_format_the_person_and_the_day(which):
    mapping = load(which)
    assert set(mapping) <= {
        "format",
        "encoding",
        "delimiter",
        "reject_share",
        "person",
        "record",
        "field",
        "ignore",
    }
    assert (mapping["format"], mapping["encoding"], mapping["delimiter"]) == ("csv", "utf-8", ",")
    assert 0 <= mapping["reject_share"] <= 0.05
    person, record = mapping["person"], mapping["record"]
    assert person == {"row_number": True} or (set(person) == {"columns"} and person["columns"])
    assert isinstance(record.get("fixed"), date) != isinstance(record.get("date"), str)


@pytest.mark.parametrize("which", MAPPINGS)
def test_every_field_of_a_mapping_is_typed_named_once_and_classified(which):
    fields = load(which)["field"]
    assert len({f["name"] for f in fields}) == len({f["column"] for f in fields}) == len(fields)
    for field in fields:
        assert set(field) <= KEYS
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", field["name"])
        assert field.get("minimum", 0) <= field.get("maximum", 0)
        if field.get("catalogue"):
            standard = STANDARD[field["name"]]
            assert standard["status"] == "current"
            assert field["type"] in TYPES_FOR[standard["type"]]
            assert not {"category", "sensitivity", "narrative"} & set(field)
            has_codes = bool(field.get("codes") or standard.get("values"))
        else:
            assert field["name"] not in STANDARD
            assert field["category"] in CATEGORIES
            assert field["sensitivity"] in {"direct", "location", "quasi", "sensitive", "process"}
            has_codes = bool(field.get("codes"))
        assert has_codes == (field["type"] in {"code", "codes"})
        codes = field.get("codes", [])
        assert len(set(codes)) == len(codes)


def test_the_ctdc_mapping_covers_every_column_and_every_value_that_occurs():
    occurring: dict[str, set[str]] = defaultdict(set)
    rows = ctdc_rows()
    for row in rows:
        for column, value in row.items():
            occurring[column].add(value)
    mapped = {field["column"]: set(field["codes"]) for field in load("ctdc")["field"]}
    assert len(rows) == 91_043
    assert mapped == occurring
