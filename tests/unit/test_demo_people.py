"""The demonstration's raw world: nobody real, in published proportions, the same every time."""

import csv
import hashlib
import re
import tomllib
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from release.management.demo import rows as demo_rows
from release.management.demo.papers import (
    ALL_CATEGORIES,
    CATEGORY_SETS,
    COLUMNS,
    STATE_SHARES,
    PaperPlan,
    Sharing,
)
from release.management.demo.people import WESTERN_SITE, DemoFiles, generate, shares

BASE_DIR = Path(__file__).resolve().parents[2]
DEMO = BASE_DIR / "release" / "management" / "demo"
TODAY = date(2026, 11, 1)
RESEARCH = Sharing("lake-institute", "research", 730)
REFERRAL = Sharing("lake-institute", "referral", 30)
CLINIC = Sharing("tide-clinic", "coordination", 90)
CASES_PLAN = PaperPlan(RESEARCH, (REFERRAL, CLINIC), recorded_by=("", "steward"))
HEALTH_PLAN = PaperPlan(CLINIC, (RESEARCH,))


def make(folder: Path, seed: int = 11, **sizes: int) -> DemoFiles:
    return generate(
        seed=seed,
        folder=folder,
        today=TODAY,
        cases_plan=CASES_PLAN,
        health_plan=HEALTH_PLAN,
        recipient_staff="lake-requester",
        **sizes,
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def digests(files: DemoFiles) -> list[str]:
    paths = (
        files.cases,
        files.health,
        files.consents_cases,
        files.consents_health,
        files.consents_bad,
    )
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> DemoFiles:
    return make(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def case_rows(files) -> list[dict[str, str]]:
    return read(files.cases)


@pytest.fixture(scope="module")
def papers(files) -> dict[str, list[dict[str, str]]]:
    return {"cases": read(files.consents_cases), "health": read(files.consents_health)}


def test_the_published_site_has_345_people_in_13_combinations():
    assert sum(count for _, count in WESTERN_SITE) == 345
    assert len(dict(WESTERN_SITE)) == len(WESTERN_SITE) == 13


def test_the_site_s_counts_are_those_of_the_published_table():
    path = BASE_DIR.parent / "shared" / "data" / "overlap" / "Western.csv"
    if not path.is_file():
        pytest.skip("the published overlap table is not on this machine")
    table = {}
    for row in read(path):
        letters = "".join(letter for letter in "ABCDE" if float(row[letter]))
        table[letters] = int(float(row["n"]))
    assert table == dict(WESTERN_SITE)


@pytest.mark.parametrize("people", [345, 346, 1000, 5000])
def test_scaling_keeps_everyone_and_the_proportions(people):
    scaled = shares(people)
    assert sum(scaled.values()) == people
    for agencies, count in WESTERN_SITE:
        assert abs(scaled[agencies] - people * count / 345) < 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path):
    sizes = {"people": 345, "rows": 900, "health_rows": 200}
    first = digests(make(tmp_path / "one", **sizes))
    assert first == digests(make(tmp_path / "two", **sizes))
    other = digests(make(tmp_path / "three", seed=12, **sizes))
    assert not set(first) & set(other)


@pytest.mark.parametrize(
    ("sizes", "word"),
    [
        ({"people": 344}, "people"),
        ({"people": 345, "rows": 503}, "rows"),
        ({"people": 345, "rows": 600, "health_rows": 97}, "rows"),
    ],
)
def test_a_world_too_small_is_refused(tmp_path, sizes, word):
    with pytest.raises(ValueError, match=word):
        make(tmp_path, **sizes)


def test_the_case_file_has_20000_rows_about_every_client(files, case_rows):
    per_client = Counter(row["client_number"] for row in case_rows)
    assert len(case_rows) == files.cases_rows == 20_000
    assert set(per_client) == set(files.case_clients)
    assert len(files.case_clients) == files.known_to["C"] == max(files.known_to.values())
    assert sum(count >= 2 for count in per_client.values()) * 2 >= len(per_client)
    assert len(read(files.health)) == files.health_rows == 3000
    assert {row["client_number"] for row in read(files.health)} == set(files.health_clients)


def test_two_rows_in_a_hundred_name_a_second_client_of_the_same_agency(files, case_rows):
    named = [row for row in case_rows if row["other_client_number"]]
    assert len(named) == 400
    assert {row["other_client_number"] for row in named} <= set(files.case_clients)
    assert all(row["other_client_number"] != row["client_number"] for row in named)


def test_every_day_lies_in_the_three_years_before_today(files, case_rows):
    days = [date.fromisoformat(row["recorded_on"]) for row in case_rows]
    days += [date.fromisoformat(row["seen_on"]) for row in read(files.health)]
    assert max(days) < TODAY
    assert min(days) >= TODAY - timedelta(days=3 * 365)


def fits(field: dict[str, Any], cell: str, codes: list[str]) -> bool:
    """Whether a filled cell is what the mapping says its column holds."""
    match field["type"]:
        case "code":
            return cell in codes
        case "codes":
            return set(cell.split(";")) <= set(codes)
        case "integer":
            return int(field["minimum"]) <= int(cell) <= int(field["maximum"])
        case "decimal":
            return float(field["minimum"]) <= float(cell) <= float(field["maximum"])
        case "date":
            return date.fromisoformat(cell).isoformat() == cell
        case "boolean":
            return cell in {"true", "false"}
    return field["type"] == "text" and len(cell) < 100


@pytest.mark.parametrize("which", ["cases", "health"])
def test_each_file_fits_its_mapping_cell_by_cell(files, which):
    mapping = tomllib.loads((DEMO / f"mapping-{which}.toml").read_text(encoding="utf-8"))
    lists = demo_rows.Picklists()
    rows = read(getattr(files, which))
    spoken_for = [*mapping["person"]["columns"], mapping["record"]["date"]]
    spoken_for += [field["column"] for field in mapping["field"]] + mapping["ignore"]["columns"]
    assert sorted(spoken_for) == sorted(rows[0])
    for field in mapping["field"]:
        codes = field.get("codes", [])
        if not codes and field["type"] in {"code", "codes"}:
            codes = list(lists.weigh(field["name"], 1.0))
        cells = {row[field["column"]] for row in rows}
        assert cells - {""}
        assert not (field.get("required") and "" in cells)
        assert [cell for cell in cells if cell and not fits(field, cell, codes)] == []


def test_the_case_file_has_empty_several_formula_like_and_foreign_cells(case_rows):
    assert any(not row["citizenship"] for row in case_rows)
    assert any(row["control"].count(";") >= 2 for row in case_rows)
    for column in ("sent_by", "support_aim"):
        assert {row[column][:1] for row in case_rows} >= set("=+-@")
    assert any("Ñ" in row["sent_by"] for row in case_rows)
    assert any("\n" in row["support_aim"] for row in case_rows)


def test_no_file_has_a_column_for_a_name_an_address_or_a_number_of_a_person(files):
    for path in (files.cases, files.health):
        header = path.read_text(encoding="utf-8").split("\n", 1)[0]
        assert not re.search(r"name|birth|street|mail|phone|identity", header)


def test_an_agency_s_numbers_say_nothing_about_another_s(files):
    assert len(set(files.case_clients)) == len(files.case_clients)
    assert not set(files.case_clients) & set(files.health_clients)
    assert all(re.fullmatch(r"NW-\d{6}", number) for number in files.case_clients)
    counters = [[int(re.sub(r"^NW-|^26-|-H$", "", n)) for n in pair] for pair in files.in_both]
    assert abs(np.corrcoef(np.array(counters).T)[0, 1]) < 0.4
    assert sum(a == b for a, b in counters) <= 2


def test_about_102_people_are_known_to_both_agencies(files):
    assert len(files.in_both) == shares(5000)["BC"] + shares(5000)["BCD"]
    for case_number, health_number in files.in_both:
        assert case_number in files.case_clients
        assert health_number in files.health_clients


def test_one_person_of_both_agencies_has_a_wide_yes_at_one_only(files, case_rows, papers):
    case_number, health_number = files.yes_at_cases_only
    assert files.yes_at_cases_only in files.in_both
    [paper] = [p for p in papers["cases"] if p["client_number"] == case_number]
    assert paper["categories"] == ALL_CATEGORIES
    assert (paper["recipient"], paper["purpose"]) == (RESEARCH.recipient, RESEARCH.purpose)
    assert paper["signed_on"] < TODAY.isoformat() < paper["ends_on"] == paper["record_until"]
    assert not [p for p in papers["health"] if p["client_number"] == health_number]
    alone = [
        row
        for row in case_rows
        if row["client_number"] == case_number and not row["other_client_number"]
    ]
    assert len(alone) >= 2


def test_whatever_the_seed_that_person_has_rows_of_her_own_and_signed_herself(tmp_path):
    for seed in range(30):
        made = make(tmp_path / str(seed), seed=seed, people=345, rows=600, health_rows=98)
        number = made.yes_at_cases_only[0]
        alone = [
            row
            for row in read(made.cases)
            if row["client_number"] == number and not row["other_client_number"]
        ]
        assert len(alone) >= 2
        [paper] = [p for p in read(made.consents_cases) if p["client_number"] == number]
        assert (paper["signer"], paper["authority"]) == ("self", "")


@pytest.mark.parametrize("which", ["cases", "health"])
def test_sixty_of_a_hundred_clients_have_a_paper(files, papers, which):
    clients = files.case_clients if which == "cases" else files.health_clients
    signed = {paper["client_number"] for paper in papers[which]}
    assert signed <= set(clients)
    assert len(signed) == round(0.6 * len(clients))
    states = files.case_states if which == "cases" else files.health_states
    assert signed == set(states)
    assert set(states.values()) == set(STATE_SHARES)


@pytest.mark.parametrize("which", ["cases", "health"])
def test_a_good_paper_has_every_element_and_keeps_to_the_longest_period(papers, which):
    longest = {(s.recipient, s.purpose): s.longest_days for s in (RESEARCH, REFERRAL, CLINIC)}
    catalogue = tomllib.loads(demo_rows.CATALOGUE.read_text(encoding="utf-8"))
    known = {category["code"] for category in catalogue["category"]}
    assert ALL_CATEGORIES.split(";") == [category["code"] for category in catalogue["category"]]
    for paper in papers[which]:
        assert tuple(paper) == COLUMNS
        signed, ends = (date.fromisoformat(paper[key]) for key in ("signed_on", "ends_on"))
        assert signed < TODAY
        period = longest[paper["recipient"], paper["purpose"]]
        assert timedelta(0) < ends - signed <= timedelta(days=period)
        assert set(paper["categories"].split(";")) <= known
        assert paper["terms"] == "sharing-yes/1"
        assert paper["language"] in {"en", "es"}
        assert paper["channel"] == "paper"
        assert paper["answers"] == "y" * 7
        assert (paper["signer"], paper["authority"]) == ("self", "")
        assert paper["recorded_by"] in {"", "steward"}
        assert not paper["starts_on"] or signed < date.fromisoformat(paper["starts_on"]) < ends
    sheets = [paper["signature"] for paper in papers[which]]
    assert len(set(sheets)) == len(sheets)
    assert [p["signed_on"] for p in papers[which]] == sorted(p["signed_on"] for p in papers[which])


@pytest.mark.parametrize("which", ["cases", "health"])
def test_each_paper_is_in_the_state_the_facts_name(files, papers, which):
    plan = CASES_PLAN if which == "cases" else HEALTH_PLAN
    states = files.case_states if which == "cases" else files.health_states
    today = TODAY.isoformat()
    seen: dict[str, list[dict[str, str]]] = {}
    for paper in papers[which]:
        seen.setdefault(paper["client_number"], []).append(paper)
    for number, state in states.items():
        paper = seen[number][-1]
        sharing = plan.main if state != "something else" else None
        assert len(seen[number]) == (2 if state == "replaced" else 1)
        assert (paper["recipient"], paper["purpose"]) in {
            (s.recipient, s.purpose) for s in ([sharing] if sharing else plan.others)
        }
        assert (paper["ends_on"] < today) == (state == "ended")
        assert (paper["starts_on"] > today) == (state == "starts later")
        old = bool(paper["record_until"]) and paper["record_until"] < paper["signed_on"]
        assert old == (state == "old records only")
        if state == "replaced":
            first = seen[number][0]
            assert first["signed_on"] < paper["signed_on"]
            assert set(paper["categories"].split(";")) < set(first["categories"].split(";"))
    assert {p["categories"] for p in papers[which]} == set(CATEGORY_SETS)


def test_each_bad_paper_differs_from_a_good_one_in_the_one_thing_named(files):
    bad = read(files.consents_bad)
    by_word = dict(zip(files.bad, bad, strict=True))
    assert len(by_word) == len(bad) == 22
    clients = [paper["client_number"] for paper in bad if paper["client_number"]]
    assert len(set(clients)) == len(clients) == 21
    assert set(clients) <= set(files.case_clients) - set(files.case_states)
    signed = date.fromisoformat(by_word["too long"]["signed_on"])
    assert date.fromisoformat(by_word["too long"]["ends_on"]) - signed == timedelta(days=731)
    assert by_word["recorded by the recipient"]["recorded_by"] == "lake-requester"
    assert by_word["all information"]["categories"] == "all information"
    assert by_word["end missing"]["ends_on"] == ""
    assert by_word["signature missing"]["signature"] == ""
    assert by_word["signed in days to come"]["signed_on"] > TODAY.isoformat()
    assert by_word["authority missing"]["signer"] == "guardian"
    whole = by_word["recorded by the recipient"] | {"recorded_by": ""}
    personal = {"client_number", "signature", "language"}
    for word, paper in by_word.items():
        odd = {k for k in COLUMNS if k not in personal and paper[k] != whole[k]}
        missing = {k for k in personal if not paper[k] or paper[k] == "xx"}
        assert len((odd | missing) - {"recorded_by"}) <= 1, word
        assert odd | missing | ({"recorded_by"} & odd), word


def test_a_plan_without_another_sharing_or_with_too_short_a_period_is_refused():
    with pytest.raises(ValueError, match="others"):
        PaperPlan(RESEARCH, ())
    with pytest.raises(ValueError, match="others"):
        PaperPlan(RESEARCH, (RESEARCH,))
    with pytest.raises(ValueError, match="longest_days"):
        Sharing("lake-institute", "referral", 29)


def test_a_weight_for_a_value_the_picklist_has_not_is_refused():
    with pytest.raises(KeyError, match="Female"):
        demo_rows.Picklists().weigh("prs_Gender", 1.0, Female=2.0)
