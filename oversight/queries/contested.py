"""What people said is wrong, or is not to be shared for now, against what its entries commit to.

Needs nobody's key: whose it is is committed to beside its entries.
"""

from collections.abc import Iterator

from audit import queries as details
from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.vocabulary import EntryType
from consent.models import Contest
from consent.queries import words
from oversight.queries.looks import Step, keys, twice
from oversight.queries.words import KIND, compared, is_whole
from oversight.vocabulary import Finding, Told

ASKED, DECIDED = EntryType.CORRECTION_ASKED, EntryType.CORRECTION_DECIDED


def contests(step: Step) -> Iterator[Told]:
    """Each says what the entry of its asking commits to, and what that of its decision does."""
    for page in keys(Contest.objects.all()):
        yield from twice(_contests, page)
        step(len(page))


def _contests(pks: list[int]) -> Iterator[Told]:
    rows = list(Contest.objects.filter(pk__in=pks).select_related("category").order_by("pk"))
    of = [pk for row in rows for pk in (row.entry_id, row.decided_entry_id) if pk is not None]
    entries, beside = log.facts(of), details.sealed_details(of)
    for row in rows:
        said, place = words.contest(row), f"contest row {row.pk}"
        asked = {name: value for name, value in said.items() if name != "decided"}
        steps = [(row.entry_id, ASKED, asked)]
        if row.decided_at is not None:
            steps.append((row.decided_entry_id or 0, DECIDED, said))
        for pk, type_, now in steps:
            entry, kept = entries.get(pk), beside.get(pk)
            if entry is None or entry.type != type_:
                yield Finding(KIND, place, f"it has no entry that says it ({type_.value}).")
            elif kept is None or not is_whole(entry, kept):
                yield Finding(KIND, entry.place, "what it commits to is gone, or is another.")
            else:
                yield from compared(kept, now, entry, place)


def entries_of_contests(step: Step) -> Iterator[Finding]:
    """Each entry of such an asking, or decision, has its row."""
    for page in log.pages_of({ASKED, DECIDED}):
        yield from twice(_entries_of_contests, page)
        step(len(page))


def _entries_of_contests(page: list[EntryFacts]) -> Iterator[Finding]:
    pks = [entry.pk for entry in page]
    asked = set(Contest.objects.filter(entry__in=pks).values_list("entry_id", flat=True))
    rows = Contest.objects.filter(decided_entry__in=pks)
    decided = set(rows.values_list("decided_entry_id", flat=True))
    for entry in page:
        if entry.pk not in (asked if entry.type == ASKED else decided):
            yield Finding(KIND, entry.place, "what was said, or decided, then is not there.")


CHECKS = (
    ("what is said to be wrong and its entries", contests),
    ("entries and what is said to be wrong", entries_of_contests),
)
