"""The rows of the demonstration's two data files. Every share is a round number of our choosing."""

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.random import Generator

CATALOGUE = Path(__file__).resolve().parents[3] / "governance" / "catalogue" / "htcds-2.0.toml"
YEARS_BACK = 3
OTHER_PERSON_SHARE = 0.02

CASES_COLUMNS = (
    "client_number",
    "other_client_number",
    "recorded_on",
    "gender",
    "marital_status",
    "children",
    "language",
    "education",
    "citizenship",
    "city",
    "state",
    "exploitation",
    "age_first",
    "control",
    "recruitment",
    "recruitment_apps",
    "industry",
    "case_status",
    "sent_by",
    "sent_on",
    "support",
    "support_aim",
    "worker_note",
)
HEALTH_COLUMNS = (
    "client_number",
    "seen_on",
    "visit_kind",
    "first_visit",
    "minutes",
    "gender",
    "language",
    "children",
    "control",
    "support",
    "support_until",
    "worker_note",
)

# No such towns or offices. Some begin with a sign that a spreadsheet would take for a formula.
TOWNS = ("Alder Ford", "Lower Quay", "Mill Bend", "Peña Blanca", "Río Seco", "Östra Point", "湖畔")
OFFICES = (
    "Harbor Desk",
    "Oficina Ñandú",
    "Night Line",
    "School office",
    "=Harbor Desk",
    "+1 Night Line",
    "-North Desk",
    "@riverside",
)
AIMS = (
    "a safe room until spring",
    "papers, then work",
    'replace the "lost" card, twice if need be',
    "aprender inglés: dos veces por semana",
    "first a doctor\nthen a school place",
    "=SUM(A1:A9) pasted by mistake",
    "+ child care",
    "-10 days, call back",
    "@school: ask for a place",
)
NOTES = ("left a message", "asked for river-maple-41", "=1+1", "no change", "volvió el martes")
STATES = {"WA": 30.0, "CA": 30.0, "OR": 20.0, "NV": 8.0, "AZ": 7.0, "ID": 5.0}
LANGUAGES = {"eng": 52.0, "spa": 30.0, "tgl": 5.0, "zho": 4.0, "vie": 3.0, "ukr": 2.0, "som": 2.0}
COUNTRIES = {"US": 0.55, "MX": 0.16, "PH": 0.07, "GT": 0.06, "CN": 0.05, "HN": 0.05, "UA": 0.03}
VISITS = {"check-up": 45.0, "urgent": 20.0, "counselling": 25.0, "dental": 10.0}


@dataclass(frozen=True)
class Written:
    """What one data file holds: its rows, and how many of each client's name nobody else."""

    rows: int
    rows_alone: dict[str, int]


class Picklists:
    """The picklist values of the field catalogue, given weights."""

    def __init__(self) -> None:
        with CATALOGUE.open("rb") as file:
            fields = tomllib.load(file)["field"]
        self._values = {f["name"]: [value for value, _ in f.get("values", [])] for f in fields}

    def weigh(self, field: str, rest: float, **known: float) -> dict[str, float]:
        """Each value of the field with its weight; those not named share the weight `rest`."""
        values = self._values[field]
        strange = known.keys() - set(values)
        if strange:
            raise KeyError(f"{field} has no value {sorted(strange)}")
        return {value: known.get(value, rest) for value in values}


def one(rng: Generator, weights: dict[str, float], size: int, empty: float = 0.0) -> list[str]:
    """One value each, by weight; a share of them left empty."""
    shares = np.array(list(weights.values()))
    picked = rng.choice(list(weights), size=size, p=shares / shares.sum())
    return blank(rng, picked.tolist(), empty)


def several(rng: Generator, chances: dict[str, float], size: int, empty: float = 0.0) -> list[str]:
    """Any number of values each, joined by semicolons; each value has its own chance."""
    names = list(chances)
    hits = rng.random((size, len(names))) < np.array(list(chances.values()))
    joined = [";".join(names[i] for i in np.flatnonzero(row)) for row in hits]
    return blank(rng, joined, empty)


def blank(rng: Generator, cells: Sequence[str], share: float) -> list[str]:
    gone = rng.random(len(cells)) < share
    return ["" if empty else cell for cell, empty in zip(cells, gone, strict=True)]


def whole(
    rng: Generator, mean: float, spread: float, least: int, most: int, size: int
) -> list[str]:
    drawn = np.clip(np.rint(rng.normal(mean, spread, size)), least, most).astype(int)
    return [str(number) for number in drawn.tolist()]


def spread(rng: Generator, clients: int, rows: int) -> list[int]:
    """Which client each row is about: every one at least once, most of them several times."""
    weights = rng.gamma(2.0, 1.0, clients)
    weights[rng.random(clients) < 0.12] = 0.0
    extra = rng.choice(clients, size=rows - clients, p=weights / weights.sum())
    owners = np.concatenate([np.arange(clients), extra])
    return [int(owner) for owner in rng.permutation(owners)]


def days_back(rng: Generator, today: date, size: int) -> list[date]:
    """Days of the last years, oldest first, none of them today."""
    ages = np.sort(rng.integers(1, YEARS_BACK * 365, size))[::-1]
    return [today - timedelta(days=int(age)) for age in ages]


def per_client(values: list[str], owners: list[int], rng: Generator, empty: float) -> list[str]:
    """What is known of a client stands in each of her rows, but now and then was not written."""
    return blank(rng, [values[owner] for owner in owners], empty)


def write(path: Path, columns: Sequence[str], table: dict[str, list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows(zip(*(table[column] for column in columns), strict=True))


def write_cases(
    *, rng: Generator, path: Path, numbers: Sequence[str], rows: int, today: date
) -> Written:
    """The case file: many rows a client, and a second client named in a few of them."""
    lists = Picklists()
    clients = len(numbers)
    owners = spread(rng, clients, rows)
    days = days_back(rng, today, rows)
    others = [""] * rows
    for row in rng.choice(rows, size=round(rows * OTHER_PERSON_SHARE), replace=False).tolist():
        others[row] = numbers[(owners[row] + int(rng.integers(1, clients))) % clients]

    def known(values: list[str], empty: float = 0.06) -> list[str]:
        return per_client(values, owners, rng, empty)

    exploitation = several(
        rng,
        lists.weigh("vic_TypeOfExploitation", 0.02, SexualExploitation=0.6, ForcedLabour=0.35),
        clients,
    )
    worked = ["ForcedLabour" in kinds.split(";") for kinds in exploitation]
    industry = one(
        rng,
        lists.weigh(
            "vic_ForcedLabourIndustry",
            1.0,
            A_AgricultureForestryAndFishing=25.0,
            F_Construction=15.0,
            I_AccommodationAndFoodServiceActivities=20.0,
            T_ActivitiesOfHouseholdsAsEmployers=20.0,
        ),
        clients,
    )
    gaps = rng.integers(0, 30, rows).tolist()
    sent = [day - timedelta(days=gap) for day, gap in zip(days, gaps, strict=True)]
    table = {
        "client_number": [numbers[owner] for owner in owners],
        "other_client_number": others,
        "recorded_on": [day.isoformat() for day in days],
        "gender": known(
            one(rng, lists.weigh("prs_Gender", 2.0, Feminine=70.0, Masculine=22.0), clients)
        ),
        "marital_status": known(
            one(rng, lists.weigh("prs_MaritalStatus", 5.0, Single=60.0, Married=18.0), clients),
            0.2,
        ),
        "children": known(whole(rng, 1.0, 1.3, 0, 9, clients), 0.15),
        "language": known(one(rng, LANGUAGES, clients)),
        "education": known(
            one(
                rng,
                lists.weigh("prs_HighestLevelOfEducation", 6.0, UpperSecondaryEducation=40.0),
                clients,
            ),
            0.35,
        ),
        "citizenship": known(several(rng, COUNTRIES, clients)),
        "city": one(rng, dict.fromkeys(TOWNS, 1.0), rows, empty=0.12),
        "state": known(one(rng, STATES, clients), 0.04),
        "exploitation": known(exploitation),
        "age_first": known(whole(rng, 21.0, 8.0, 4, 64, clients), 0.18),
        "control": several(
            rng,
            lists.weigh("vic_MethodsOfControl", 0.08, PsychologicalAbuse=0.35, TakesEarnings=0.3),
            rows,
            empty=0.1,
        ),
        "recruitment": known(
            several(
                rng,
                lists.weigh("vic_MethodOfRecruitment", 0.08, ThroughFriendsOrSocialEvents=0.3),
                clients,
            ),
            0.2,
        ),
        "recruitment_apps": known(
            several(rng, lists.weigh("vic_RecruitmentWebsitesAndApps", 0.03), clients), 0.3
        ),
        "industry": known([i if w else "" for i, w in zip(industry, worked, strict=True)]),
        "case_status": one(rng, lists.weigh("cas_Status", 12.0, Active=55.0, FollowUp=20.0), rows),
        "sent_by": one(rng, dict.fromkeys(OFFICES, 1.0), rows, empty=0.25),
        "sent_on": blank(rng, [day.isoformat() for day in sent], 0.3),
        "support": one(rng, lists.weigh("spl_Type", 8.0, Legal=20.0, Health=20.0), rows, empty=0.1),
        "support_aim": one(rng, dict.fromkeys(AIMS, 1.0), rows, empty=0.4),
        "worker_note": one(rng, dict.fromkeys(NOTES, 1.0), rows, empty=0.6),
    }
    write(path, CASES_COLUMNS, table)
    alone = dict.fromkeys(numbers, 0)
    for owner, other in zip(owners, others, strict=True):
        alone[numbers[owner]] += not other
    return Written(rows=rows, rows_alone=alone)


def write_health(
    *, rng: Generator, path: Path, numbers: Sequence[str], rows: int, today: date
) -> Written:
    """The health file of another agency: fewer columns, its own client numbers."""
    lists = Picklists()
    clients = len(numbers)
    owners = spread(rng, clients, rows)
    days = days_back(rng, today, rows)
    seen: set[int] = set()
    first = []
    for owner in owners:
        first.append("false" if owner in seen else "true")
        seen.add(owner)
    lengths = rng.integers(14, 200, rows).tolist()
    until = [day + timedelta(days=length) for day, length in zip(days, lengths, strict=True)]
    minutes = np.clip(rng.gamma(4.0, 8.0, rows), 5, 180)
    gender = one(rng, lists.weigh("prs_Gender", 2.0, Feminine=66.0, Masculine=26.0), clients)
    table = {
        "client_number": [numbers[owner] for owner in owners],
        "seen_on": [day.isoformat() for day in days],
        "visit_kind": one(rng, VISITS, rows),
        "first_visit": first,
        "minutes": blank(rng, [f"{m:.1f}" for m in minutes.tolist()], 0.05),
        "gender": per_client(gender, owners, rng, 0.03),
        "language": per_client(one(rng, LANGUAGES, clients), owners, rng, 0.03),
        "children": per_client(whole(rng, 1.0, 1.3, 0, 9, clients), owners, rng, 0.2),
        "control": several(rng, lists.weigh("vic_MethodsOfControl", 0.06), rows, empty=0.3),
        "support": one(rng, lists.weigh("spl_Type", 3.0, Health=70.0, SocialCare=15.0), rows),
        "support_until": blank(rng, [day.isoformat() for day in until], 0.25),
        "worker_note": one(rng, dict.fromkeys(NOTES, 1.0), rows, empty=0.7),
    }
    write(path, HEALTH_COLUMNS, table)
    alone = dict.fromkeys(numbers, 0)
    for owner in owners:
        alone[numbers[owner]] += 1
    return Written(rows=rows, rows_alone=alone)
