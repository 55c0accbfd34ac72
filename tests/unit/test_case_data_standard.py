"""The field catalogue and the purposes: whole, classified, and in words people can read."""

import csv
import difflib
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
CATALOGUE = tomllib.loads(
    (BASE_DIR / "governance" / "catalogue" / "htcds-2.0.toml").read_text(encoding="utf-8")
)
PURPOSES = tomllib.loads(
    (BASE_DIR / "governance" / "catalogue" / "purposes.toml").read_text(encoding="utf-8")
)["purpose"]
FIELDS = {field["name"]: field for field in CATALOGUE["field"]}
CATEGORIES = CATALOGUE["category"]
DEPRECATED = {
    "vic_AgreementToManagePersonalData",
    "vic_Vulnerabilities",
    "vic_DetailsOfVulnerabilities",
}
TYPES = {
    "text",
    "longtext",
    "number",
    "date",
    "checkbox",
    "picklist",
    "multipicklist",
    "geolocation",
    "lookup",
}
SHEET_TYPES = {
    "Text": "text",
    "Long Text": "longtext",
    "Number": "number",
    "Date": "date",
    "Checkbox": "checkbox",
    "Picklist": "picklist",
    "Multiselect Picklist": "multipicklist",
    "Geolocation": "geolocation",
}
LONGEST_DAYS = {
    "referral": 30,
    "coordination": 90,
    "legal-help": 90,
    "housing": 90,
    "health-care": 90,
    "research": 730,
    "evaluation": 365,
    "funder-reporting": 365,
    "investigation": 90,
    "prosecution": 90,
    "statistics": 730,
}
READ_BY_PEOPLE = [*CATEGORIES, *PURPOSES]
SHARED = BASE_DIR.parent / "shared" / "data"


def sheet_rows() -> list[dict[str, str]]:
    path = SHARED / "htcds" / "htcds_field_standards_2.0.csv"
    if not path.is_file():
        pytest.skip("the published field sheet is not on this machine")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Status"]]
    for row in rows:
        row["name"] = row["Field Name Prefix"].strip() + row["Field Name"].strip()
    return rows


def lines(cell: str) -> list[str]:
    """The values of one sheet cell; a remark such as "[Use ISO …]" is none."""
    found = [line.strip() for line in cell.split("\n") if line.strip()]
    return [] if found and found[0].lstrip("[").startswith("Use ISO") else found


def grade_en(text: str) -> float:
    """Flesch and Kincaid's grade, syllables counted by groups of vowels."""
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len(re.findall(r"[.!?]", text)))
    syllables = sum(syllables_en(word.lower()) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def syllables_en(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def ease_es(text: str) -> float:
    """Fernández Huerta's reading ease: 70 and more is for a twelve-year-old."""
    words = re.findall(r"[^\W\d_]+", text)
    sentences = max(1, len(re.findall(r"[.!?]", text)))
    syllables = sum(max(1, len(re.findall(r"[aeiouáéíóúü]+", word.lower()))) for word in words)
    return 206.84 - 60 * syllables / len(words) - 1.02 * len(words) / sentences


def test_the_catalogue_has_81_current_and_3_deprecated_fields():
    assert len(CATALOGUE["field"]) == 84
    assert len(FIELDS) == 84
    assert Counter(f["status"] for f in FIELDS.values()) == {"current": 81, "deprecated": 3}
    assert {n for n, f in FIELDS.items() if f["status"] == "deprecated"} == DEPRECATED


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_is_described_classified_and_in_one_category(name):
    field = FIELDS[name]
    assert field["type"] in TYPES
    assert field["sensitivity"] in {"direct", "location", "quasi", "sensitive", "process"}
    assert [c["code"] for c in CATEGORIES].count(field["category"]) == 1
    assert isinstance(field["core"], bool)
    assert field["label"].strip()
    assert field["section"].strip()
    assert 20 <= len(field["description"]) <= 300
    assert re.fullmatch(r"[A-Z][^.\n]*\.", field["description"]), "one plain sentence"


@pytest.mark.parametrize("name", FIELDS)
def test_free_text_and_only_free_text_is_narrative(name):
    field = FIELDS[name]
    assert field.get("narrative", False) == (field["type"] == "longtext")


@pytest.mark.parametrize("name", FIELDS)
def test_picklists_and_only_picklists_have_values_or_an_outside_list(name):
    field = FIELDS[name]
    values = field.get("values", [])
    if "picklist" in field["type"]:
        assert values or field["code_list"]
    else:
        assert not values
    assert all(len(pair) == 2 and all(t and t == t.strip() for t in pair) for pair in values)
    assert len({value for value, _ in values}) == len(values)
    assert len({label for _, label in values}) == len(values)


def test_names_numbers_and_contact_details_are_direct_identifiers():
    reaching = re.compile(r"^prs_(First|Middle|Second)Name|Birthdate|Identity|Email|prs_.*Phone")
    named = {name for name in FIELDS if reaching.search(name)}
    assert len(named) == 8
    assert {FIELDS[name]["sensitivity"] for name in named} == {"direct"}


def test_every_address_and_coordinate_is_a_location_in_a_category_of_its_own():
    places = re.compile(r"City|Country|State$|Street|PostalCode|itude|LocationOf")
    found = {name for name in FIELDS if places.search(name)}
    assert len(found) == 23
    assert {FIELDS[name]["sensitivity"] for name in found} == {"location"}
    where = {n for n, f in FIELDS.items() if f["category"] in {"where", "where-it-happened"}}
    assert where - found == {"org_Phone"}, "a shelter's number leads to it"
    assert found <= where


def test_categories_are_few_distinct_and_none_is_empty():
    codes = [c["code"] for c in CATEGORIES]
    assert 8 <= len(codes) <= 10
    assert len(set(codes)) == len(codes)
    assert set(codes) == {f["category"] for f in FIELDS.values()}
    for language in ("en", "es"):
        assert len({c[f"label_{language}"] for c in CATEGORIES}) == len(codes)


def test_purposes_have_a_kind_a_term_and_a_longest_period():
    assert {p["code"]: p["longest_days"] for p in PURPOSES} == LONGEST_DAYS
    assert len(PURPOSES) == len(LONGEST_DAYS)
    for purpose in PURPOSES:
        assert purpose["kind"] in {"service", "research", "reporting", "justice", "statistics"}
        assert re.fullmatch(r"[A-Z][A-Za-z]+", purpose["dpv"])
    counted = {p["code"] for p in PURPOSES if p["aggregates_only"]}
    assert counted == {p["code"] for p in PURPOSES if p["kind"] in {"reporting", "statistics"}}


@pytest.mark.parametrize("item", READ_BY_PEOPLE, ids=lambda item: item["code"])
def test_what_people_read_is_plain_in_both_languages(item):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", item["code"])
    for language in ("en", "es"):
        label, description = item[f"label_{language}"], item[f"description_{language}"]
        assert 3 <= len(label) <= 80
        assert 15 <= len(description) <= 300
        assert description.endswith(".")
        assert not re.search(r"traffick|trata\b", label + description, re.IGNORECASE)
    assert item["description_en"] != item["description_es"]
    assert grade_en(item["description_en"]) <= 6
    assert ease_es(item["description_es"]) >= 70


def test_the_reading_measures_tell_plain_from_learned():
    assert grade_en("We tell one other place about you.") < 6
    assert grade_en("Interorganisational coordination necessitates authorisation.") > 12
    assert ease_es("Su casa y su ciudad.") > 70
    assert ease_es("La coordinación interinstitucional requiere autorización.") < 40


def test_the_catalogue_holds_every_field_of_the_published_sheet():
    rows = sheet_rows()
    assert [row["name"] for row in rows] == list(FIELDS)
    for row in rows:
        field = FIELDS[row["name"]]
        assert field["section"] == re.sub(r"\s+", " ", row["Section"]).strip()
        assert field["core"] == (row["Core"].strip() == "Core")
        assert field["status"] == {"DRAFT": "current", "DEPRECATED": "deprecated"}[row["Status"]]
        assert field["label"] == (row["Field Label"].strip() or "Organisation")


def test_the_catalogue_holds_every_type_and_picklist_value_of_the_published_sheet():
    compared = 0
    for row in sheet_rows():
        field, kind = FIELDS[row["name"]], row["Field Type"].strip()
        if kind.startswith("Lookup") or not kind:
            assert field["type"] == "lookup"
        elif kind == "Picklist or Text":
            assert field["type"] in {"picklist", "text"}
        else:
            assert field["type"] == SHEET_TYPES[kind]
        pairs = field.get("values", [])
        assert [value for value, _ in pairs] == lines(row["Value Names (if picklist)"])
        assert [label for _, label in pairs] == lines(row["Value Labels (if picklist)"])
        compared += len(pairs)
        remark = row["Value Names (if picklist)"] + row["Value Labels (if picklist)"]
        for code_list in ("ISO 3166", "ISO 639", "ISIC"):
            if code_list in remark + row["Notes"]:
                assert field["code_list"].startswith(code_list)
    assert compared > 150


def test_our_descriptions_are_not_those_of_the_sheet():
    for row in sheet_rows():
        ours = FIELDS[row["name"]]["description"]
        theirs = row["Description"].strip()
        if theirs:
            alike = difflib.SequenceMatcher(None, ours.lower(), theirs.lower()).ratio()
            assert alike < 0.75, row["name"]


def test_each_purpose_names_a_term_of_the_privacy_vocabulary():
    path = SHARED / "dpv" / "purposes.csv"
    if not path.is_file():
        pytest.skip("the Data Privacy Vocabulary's table is not on this machine")
    with path.open(encoding="utf-8", newline="") as file:
        terms = {row["term"] for row in csv.DictReader(file) if row["type"] == "class"}
    assert {p["dpv"] for p in PURPOSES} <= terms
