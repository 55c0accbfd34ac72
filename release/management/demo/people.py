"""The people of the demonstration and the files two of their agencies hold. Nobody is real."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.random import Generator

from release.management.demo.papers import PaperPlan, bad_papers, draw_papers, write_papers
from release.management.demo.rows import write_cases, write_health

# How many people were known to which of five agencies at one western US site: 345 people, 13
# combinations. Retyped from the table in A. Farrell, M. Dank, M. Kafafian, S. Lockwood,
# R. Pfeffer, A. Hughes, K. Vincent, "Capturing Human Trafficking Victimization Through Crime
# Reporting", National Institute of Justice, report 2015-VF-GX-0105 (2019), as used in the
# literature on multiple systems estimation. The letters are the table's; agencies had no names.
WESTERN_SITE = (
    ("A", 52),
    ("B", 90),
    ("C", 114),
    ("D", 45),
    ("E", 21),
    ("AC", 4),
    ("AD", 2),
    ("AE", 5),
    ("BC", 6),
    ("BD", 1),
    ("DE", 3),
    ("ACE", 1),
    ("BCD", 1),
)
SITE_PEOPLE = sum(count for _, count in WESTERN_SITE)
CASES_AGENCY = "C"
HEALTH_AGENCY = "B"
# Each agency counts in its own way, so that no number of one says anything about another's.
NUMBER_FORMS = {
    "A": "HB{:05d}",
    "B": "26-{:06d}-H",
    "C": "NW-{:06d}",
    "D": "{:07d}",
    "E": "T{:05d}E",
}
HIGHEST_NUMBER = 99_999


@dataclass(frozen=True)
class DemoFiles:
    """The files that were written, and what is true of the people in them."""

    cases: Path
    health: Path
    consents_cases: Path
    consents_health: Path
    consents_bad: Path
    seed: int
    today: date
    people: int
    known_to: dict[str, int]  # agency letter → how many people it knows
    cases_rows: int
    health_rows: int
    case_clients: tuple[str, ...]
    health_clients: tuple[str, ...]
    in_both: tuple[tuple[str, str], ...]  # (case number, health number) of one and the same person
    yes_at_cases_only: tuple[str, str]  # her yes stands at the first, nothing at the second
    case_states: dict[str, str]  # client number → state of her paper; no entry: no paper
    health_states: dict[str, str]
    bad: tuple[str, ...]  # what is wrong with each row of consents_bad, in order


def generate(
    *,
    seed: int,
    folder: Path,
    today: date,
    cases_plan: PaperPlan,
    health_plan: PaperPlan,
    recipient_staff: str,
    people: int = 5000,
    rows: int = 20_000,
    health_rows: int = 3000,
) -> DemoFiles:
    """Write the whole raw world; the same arguments give the same bytes."""
    if people < SITE_PEOPLE:
        raise ValueError(f"people: at least {SITE_PEOPLE}, the size of the published site")
    rng = np.random.default_rng(seed)
    agencies = _agencies_of_each(rng, people)
    numbers = {letter: _numbers(rng, letter, agencies) for letter in NUMBER_FORMS}
    case_numbers, health_numbers = numbers[CASES_AGENCY], numbers[HEALTH_AGENCY]
    if rows < 4 * len(case_numbers) or health_rows < len(health_numbers):
        raise ValueError(
            f"rows: {len(case_numbers)} clients need 4 rows each in the case file, "
            f"{len(health_numbers)} need one each in the health file"
        )
    folder.mkdir(parents=True, exist_ok=True)
    cases, health = folder / "cases.csv", folder / "health.csv"
    case_clients = tuple(case_numbers.values())
    health_clients = tuple(health_numbers.values())
    written = write_cases(rng=rng, path=cases, numbers=case_clients, rows=rows, today=today)
    write_health(rng=rng, path=health, numbers=health_clients, rows=health_rows, today=today)

    both = sorted(case_numbers.keys() & health_numbers.keys())
    in_both = tuple((case_numbers[person], health_numbers[person]) for person in both)
    chosen = max(in_both, key=lambda pair: written.rows_alone[pair[0]])
    case_papers, case_states = draw_papers(
        rng=rng, plan=cases_plan, numbers=case_clients, today=today, certain=chosen[0], never=""
    )
    health_papers, health_states = draw_papers(
        rng=rng, plan=health_plan, numbers=health_clients, today=today, certain="", never=chosen[1]
    )
    without = [number for number in case_clients if number not in case_states]
    bad = bad_papers(
        rng=rng, plan=cases_plan, numbers=without, today=today, recipient_staff=recipient_staff
    )
    files = DemoFiles(
        cases=cases,
        health=health,
        consents_cases=folder / "consents-cases.csv",
        consents_health=folder / "consents-health.csv",
        consents_bad=folder / "consents-bad.csv",
        seed=seed,
        today=today,
        people=people,
        known_to={letter: len(known) for letter, known in numbers.items()},
        cases_rows=rows,
        health_rows=health_rows,
        case_clients=case_clients,
        health_clients=health_clients,
        in_both=in_both,
        yes_at_cases_only=chosen,
        case_states=case_states,
        health_states=health_states,
        bad=tuple(word for word, _ in bad),
    )
    write_papers(files.consents_cases, case_papers)
    write_papers(files.consents_health, health_papers)
    write_papers(files.consents_bad, (paper for _, paper in bad))
    return files


def shares(people: int) -> dict[str, int]:
    """The site's combinations scaled to so many people: largest remainders, nobody lost."""
    exact = {agencies: people * count / SITE_PEOPLE for agencies, count in WESTERN_SITE}
    scaled = {agencies: int(number) for agencies, number in exact.items()}
    missing = people - sum(scaled.values())
    for agencies in sorted(exact, key=lambda key: scaled[key] - exact[key])[:missing]:
        scaled[agencies] += 1
    return scaled


def _agencies_of_each(rng: Generator, people: int) -> list[str]:
    each = [agencies for agencies, count in shares(people).items() for _ in range(count)]
    return [each[i] for i in rng.permutation(people).tolist()]


def _numbers(rng: Generator, letter: str, agencies: Sequence[str]) -> dict[int, str]:
    """Person → number at this agency, in an order that tells nothing."""
    known = [person for person, letters in enumerate(agencies) if letter in letters]
    drawn = rng.choice(HIGHEST_NUMBER, size=len(known), replace=False) + 1
    form = NUMBER_FORMS[letter]
    return {person: form.format(n) for person, n in zip(known, drawn.tolist(), strict=True)}
