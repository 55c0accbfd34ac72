"""Signed papers of the demonstration, in the columns that `import_consents` reads."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from numpy.random import Generator

from consent.actions.imports import COLUMNS

PAPER_SHARE = 0.6
ALL_CATEGORIES = (
    "who-i-am;contact;about-me;where;where-it-happened;what-happened;"
    "how-it-happened;papers-and-status;help-and-support;case-steps"
)
CATEGORY_SETS = {
    ALL_CATEGORIES: 0.12,
    "about-me;what-happened;how-it-happened;help-and-support;case-steps": 0.26,
    "about-me;help-and-support": 0.2,
    "about-me;where;help-and-support;case-steps": 0.14,
    "what-happened;how-it-happened": 0.1,
    "about-me;papers-and-status": 0.1,
    "case-steps": 0.08,
}
STATE_SHARES = {
    "in force": 0.6,
    "ended": 0.1,
    "starts later": 0.05,
    "old records only": 0.08,
    "something else": 0.11,
    "replaced": 0.06,
}
BINDER_SHEETS = 60


@dataclass(frozen=True)
class Sharing:
    """One recipient and one purpose people can say yes to, and the longest such a yes may last."""

    recipient: str
    purpose: str
    longest_days: int

    def __post_init__(self) -> None:
        if self.longest_days < 30:
            raise ValueError("longest_days: papers in every state need 30 days or more")


@dataclass(frozen=True)
class PaperPlan:
    """What the papers of one agency are about: one sharing above all, and some others."""

    main: Sharing
    others: tuple[Sharing, ...]
    recorded_by: tuple[str, ...] = ("",)
    terms: str = "sharing-yes/1"

    def __post_init__(self) -> None:
        if not self.others or self.main in self.others:
            raise ValueError("others: name at least one sharing, and not the main one")


Paper = dict[str, str]


def draw_papers(
    *,
    rng: Generator,
    plan: PaperPlan,
    numbers: Sequence[str],
    today: date,
    certain: str,
    never: str,
) -> tuple[list[Paper], dict[str, str]]:
    """Papers of about 60 % of the clients, oldest first, and the state each client is in.

    `certain` (if given) has a plain yes to everything; `never` has signed nothing.
    """
    open_numbers = [number for number in numbers if number not in (certain, never)]
    count = round(len(numbers) * PAPER_SHARE) - bool(certain)
    chosen = rng.choice(len(open_numbers), size=count, replace=False).tolist()
    names = rng.choice(list(STATE_SHARES), size=count, p=list(STATE_SHARES.values())).tolist()
    states = dict(zip((open_numbers[i] for i in chosen), names, strict=True))
    papers: list[Paper] = []
    for number, state in states.items():
        papers += _papers_in(state, rng, plan, number, today)
    if certain:
        states[certain] = "in force"
        papers.append(_plain_yes(rng, plan, certain, today))
    papers.sort(key=lambda paper: (paper["signed_on"], paper["client_number"]))
    for i, paper in enumerate(papers):
        paper["signature"] = f"binder {i // BINDER_SHEETS + 1}, sheet {i % BINDER_SHEETS + 1}"
    return papers, states


def _papers_in(
    state: str, rng: Generator, plan: PaperPlan, number: str, today: date
) -> list[Paper]:
    sharing = plan.main
    if state == "something else":
        sharing = plan.others[int(rng.integers(len(plan.others)))]
    longest = sharing.longest_days
    length = int(rng.integers(max(18, longest * 2 // 3), longest + 1))
    age = int(rng.integers(2, min(length - 14, 60) + 1))
    if state == "ended":
        age = length + int(rng.integers(3, 200))
    elif state == "starts later":
        length, age = longest, int(rng.integers(2, 6))
    paper = _paper(rng, plan, sharing, number, today - timedelta(days=age), length)
    if state == "starts later":
        paper["starts_on"] = (today + timedelta(days=int(rng.integers(7, 20)))).isoformat()
    elif state == "old records only":
        past = timedelta(days=int(rng.integers(90, 700)))
        paper["record_until"] = (today - past).isoformat()
    elif state == "replaced":
        # She first said yes to everything, then signed anew for less: the newer paper counts.
        first = paper | {"categories": ALL_CATEGORIES}
        paper["signed_on"] = (today - timedelta(days=1)).isoformat()
        paper["categories"] = "about-me;help-and-support"
        return [first, paper]
    return [paper]


def _paper(
    rng: Generator, plan: PaperPlan, sharing: Sharing, number: str, signed: date, length: int
) -> Paper:
    sets = list(CATEGORY_SETS)
    ends = (signed + timedelta(days=length)).isoformat()
    rng.random()  # drawn as ever, so that the same people come out
    rng.integers(1, 400)
    return {
        "client_number": number,
        "recipient": sharing.recipient,
        "purpose": sharing.purpose,
        "categories": sets[int(rng.choice(len(sets), p=list(CATEGORY_SETS.values())))],
        "terms": plan.terms,
        "language": "es" if rng.random() < 0.3 else "en",
        "channel": "paper",
        "signed_on": signed.isoformat(),
        "ends_on": ends,
        "record_until": ends if rng.random() < 0.5 else "",
        "signature": "",
        "signer": "self",
        "authority": "",
        "answers": "yyyyyyy",
        "recorded_by": plan.recorded_by[int(rng.integers(len(plan.recorded_by)))],
        "starts_on": "",
    }


def _plain_yes(rng: Generator, plan: PaperPlan, number: str, today: date) -> Paper:
    signed = today - timedelta(days=5)
    paper = _paper(rng, plan, plan.main, number, signed, 30)
    return paper | {
        "categories": ALL_CATEGORIES,
        "record_until": paper["ends_on"],
        "signer": "self",
        "authority": "",
    }


def bad_papers(
    *,
    rng: Generator,
    plan: PaperPlan,
    numbers: Sequence[str],
    today: date,
    recipient_staff: str,
) -> list[tuple[str, Paper]]:
    """One paper for each thing that must be refused, and the word for what is wrong with it."""
    main = plan.main
    signed = today - timedelta(days=5)
    wrong: list[tuple[str, Paper]] = [
        ("signature missing", {"signature": ""}),
        ("answers missing", {"answers": ""}),
        ("not informed", {"answers": "yyynyyy"}),
        ("end missing", {"ends_on": ""}),
        ("end never", {"ends_on": "never"}),
        ("all information", {"categories": "all information"}),
        ("category unknown", {"categories": "about-me;weather"}),
        ("categories missing", {"categories": ""}),
        ("recipient missing", {"recipient": ""}),
        ("recipient unknown", {"recipient": "nobody-here"}),
        ("two recipients", {"recipient": f"{main.recipient};{plan.others[0].recipient}"}),
        ("purpose missing", {"purpose": ""}),
        ("purpose unknown", {"purpose": "anything"}),
        ("terms missing", {"terms": ""}),
        ("language unknown", {"language": "xx"}),
        ("recorded by the recipient", {"recorded_by": recipient_staff}),
        ("too long", {"ends_on": (signed + timedelta(days=main.longest_days + 1)).isoformat()}),
        ("ends before it was signed", {"ends_on": (signed - timedelta(days=1)).isoformat()}),
        ("signed in days to come", {"signed_on": (today + timedelta(days=9)).isoformat()}),
        ("no such day", {"signed_on": f"{today.year}-02-31"}),
        ("authority missing", {"signer": "guardian", "authority": ""}),
        ("client missing", {"client_number": ""}),
    ]
    if len(numbers) < len(wrong):
        raise ValueError("numbers: too few clients without a paper")
    bad = []
    for i, (word, change) in enumerate(wrong):
        good = _plain_yes(rng, plan, numbers[i], today) | {"signature": f"binder 99, sheet {i + 1}"}
        bad.append((word, good | change))
    return bad


def write_papers(path: Path, papers: Iterable[Paper]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows(papers)
