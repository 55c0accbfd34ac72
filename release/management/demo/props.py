"""Loading what the story plays with: a file into a dataset, papers into consents."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from common.days import day_of
from consent.actions import consents, imports, objections
from consent.models import Consent
from governance.models import AccessRequest, Agreement, DataCategory, Dataset
from release.actions import versions
from release.management.demo import check, world
from release.management.demo.papers import PaperPlan, Sharing, draw_papers, write_papers
from release.management.demo.world import UNIVERSITY, VIA, World

Progress = Callable[[str, int, int], None]
SAY_ALOUD = 12  # how many people say each of the noes that no paper carries


@dataclass
class Stage:
    """What the story plays with: the dataset, its file and mapping, the agreement, the request."""

    dataset: Dataset
    file: Path
    mapping: bytes
    agreement: Agreement
    request: AccessRequest
    rejected: set[int]


def ingest(data: Dataset, file: Path, mapping: bytes, progress: Progress) -> versions.Loading:
    """Load a file as the holder's steward; it was described long ago, so that papers signed since
    then cover its fields."""
    return versions.ingest(
        dataset=data,
        file=file,
        mapping=mapping,
        by=data.holder.memberships.get(role="steward").user,
        at=data.created_at,
        via=VIA,
        progress=progress,
    )


def import_papers(
    here: World, holder: str, papers: Path, *, scope: str = "", most_bad: float = 0.2
) -> imports.Imported:
    """Record papers as the holder's advocate."""
    with papers.open(encoding="utf-8", newline="") as lines:
        return imports.consents(
            holder=here.organisation(holder),
            lines=lines,
            by=world.advocate_of(here, holder),
            at=timezone.now(),
            via=VIA,
            scope=scope,
            most_bad=most_bad,
        )


def say_aloud(here: World, holder: str, seed: int, *, never: int | None) -> dict[str, int]:
    """Some people, but `never` that one, pause or object, each in another way, by the holder's
    advocate.

    Gives how many said what.
    """
    by, at = world.advocate_of(here, holder), timezone.now()
    recipient = here.organisation(UNIVERSITY)
    standing = list(
        Consent.objects.filter(
            holder=here.organisation(holder), recipient=recipient, purpose__code="research"
        )
        .filter(ended_at__isnull=True, starts__lte=at, ends__gt=at)
        .exclude(subject_id__in=[] if never is None else [never])
        .select_related("subject__holder", "purpose")
        .order_by("ref")
    )
    random.Random(seed).shuffle(standing)  # noqa: S311 - a repeatable choice, no secret
    categories = list(DataCategory.objects.order_by("pk"))

    def pause(consent: Consent, until: datetime | None) -> None:
        consents.pause(consent=consent, by=by, at=at, via=VIA, until=until)

    def object_to(consent: Consent, **what: Any) -> None:
        objections.make(subject=consent.subject, by=by, at=at, via=VIA, **what)

    acts: dict[str, Callable[[int, Consent], None]] = {
        "paused for now": lambda _, yes: pause(yes, None),
        "paused until a day": lambda n, yes: pause(yes, at + timedelta(days=7 + n)),
        "said no to this recipient": lambda _, yes: object_to(yes, recipient=recipient),
        "said no to this kind of recipient": lambda _, yes: object_to(
            yes, recipient_kind=recipient.kind
        ),
        "said no to this purpose": lambda _, yes: object_to(yes, purpose=yes.purpose),
        "said no to one category": lambda n, yes: object_to(
            yes, category=categories[n % len(categories)]
        ),
        "said no to everything": lambda _, yes: object_to(yes),
    }
    said: dict[str, int] = {}
    for number, (name, act) in enumerate(acts.items()):
        chosen = standing[number :: len(acts)][:SAY_ALOUD]
        for place, yes in enumerate(chosen):
            act(place, yes)
        said[name] = len(chosen)
    return said


def plan(mapping: bytes, data: Dataset | None) -> dict[str, Any]:
    """The mapping as plain data, for the independent check."""
    return check.plan_of(mapping, data.ref if data else "")


def by_row(mapping: bytes) -> bool:
    """Whether each row of the file is a person of its own."""
    return bool(plan(mapping, None)["person"].get("row_number"))


def drawn_papers(here: World, folder: Path, seed: int, file: Path, mapping: bytes) -> Path:
    """Papers for about 60 % of the people of a file that was not generated."""
    research = Sharing(here.organisation(UNIVERSITY).name, "research", 730)
    legal = Sharing(here.organisation(world.LEGAL_AID).name, "legal-help", 90)
    papers, _ = draw_papers(
        rng=np.random.default_rng(seed),
        plan=PaperPlan(main=research, others=(legal,)),
        numbers=_numbers(file, mapping),
        today=day_of(here.now),
        certain="",
        never="",
    )
    path = folder / "input" / "consents.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_papers(path, papers)
    return path


def _numbers(file: Path, mapping: bytes) -> list[str]:
    numbered = by_row(mapping)
    rows = enumerate(check.read_rows(file, plan(mapping, None)), start=1)
    return list(
        dict.fromkeys(str(count) if numbered else numbers[0] for count, (_, _, numbers, _) in rows)
    )


def rejected_lines(report: str) -> set[int]:
    """The lines of the input that were refused at loading."""
    if not report:
        return set()
    return check.lines_of_report((settings.SAYSO_DATA / report).read_text(encoding="utf-8"))
