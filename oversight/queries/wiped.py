"""People whose key was destroyed: each with its entry, and nothing that leads to one any more."""

from collections.abc import Iterator

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import spelled_time
from audit.vocabulary import EntryType
from consent.models import Subject, SubjectKey
from oversight.queries.looks import Step, keys, twice
from oversight.vocabulary import Finding, Kind


def shredded(step: Step) -> Iterator[Finding]:
    """Each record that is shredded has an entry of that instant, and no number leads to it."""
    for page in keys(Subject.objects.filter(shredded_at__isnull=False)):
        yield from twice(_shredded, page)
        step(len(page))


def _shredded(slots: list[int]) -> Iterator[Finding]:
    rows = list(Subject.objects.filter(pk__in=slots).order_by("pk"))
    times = {row.shredded_at for row in rows if row.shredded_at}
    known = {entry.time for entry in log.at_time({EntryType.KEY_SHREDDED}, times)}
    led_to = set(SubjectKey.objects.filter(subject__in=slots).values_list("subject_id", flat=True))
    for row in rows:
        if row.shredded_at is None:
            continue
        place = f"a record shredded at {spelled_time(row.shredded_at)}"
        if row.shredded_at not in known:
            yield Finding(Kind.SHREDDED_WITHOUT_ENTRY, place, "no entry says so.")
        if row.pk in led_to:
            yield Finding(Kind.SHREDDED_AND_LED_TO, place, "a client number leads to it.")


def entries_of_shredded(step: Step) -> Iterator[Finding]:
    """Each entry about a destroyed key has its record."""
    for page in log.pages_of({EntryType.KEY_SHREDDED}):
        yield from twice(_entries_of_shredded, page)
        step(len(page))


def _entries_of_shredded(page: list[EntryFacts]) -> Iterator[Finding]:
    times = {entry.time for entry in page}
    rows = Subject.objects.filter(shredded_at__in=times)
    known = set(rows.values_list("shredded_at", flat=True))
    for entry in page:
        if entry.time not in known:
            says = "no record was shredded then."
            yield Finding(Kind.ENTRY_WITHOUT_SHREDDED, entry.place, says)


CHECKS = (
    ("shredded records and their entries", shredded),
    ("entries and their shredded records", entries_of_shredded),
)
