"""What was written while a key was away, and the later entries that bear the tags of it."""

from collections.abc import Iterator

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import NotReady
from consent.models import LateTag
from consent.queries.keys import KEY_ABSENT, KeyDestroyed
from consent.queries.tags import borne_by
from oversight.queries.looks import Step, in_part, keys, twice
from oversight.queries.said import EVENTS, OBJECTIONS
from oversight.vocabulary import Finding, Kind, Skipped, Told

WORDS = EVENTS | OBJECTIONS


def late(step: Step) -> Iterator[Finding]:
    """Each late tag names an entry that is there, and its later entry is one that bears tags."""
    for page in keys(LateTag.objects.all()):
        yield from twice(_late, page)
        step(len(page))


def _late(pks: list[int]) -> Iterator[Finding]:
    rows = list(LateTag.objects.filter(pk__in=pks).order_by("pk"))
    entries = log.facts([pk for row in rows for pk in (row.entry_id, row.tagged_id)])
    for row in rows:
        place = f"late tag row {row.pk}"
        if row.entry_id not in entries:
            yield Finding(Kind.TAGS_AND_ENTRY, place, "the entry that it is about is not there.")
        if row.tagged_id is None:
            continue
        later = entries.get(row.tagged_id)
        if later is None or later.type != EntryType.SUBJECT_TAGGED:
            yield Finding(Kind.TAGS_AND_ENTRY, place, "no entry that bears tags bears this one.")


def words(step: Step) -> Iterator[Finding]:
    """Each entry that says that a key was away has its late tag: somebody will be told of it."""
    for page in log.pages_of(WORDS):
        yield from twice(_words, [each for each in page if each.reason == KEY_ABSENT])
        step(len(page))


def _words(page: list[EntryFacts]) -> Iterator[Finding]:
    found = set(
        LateTag.objects.filter(entry__in=[each.pk for each in page]).values_list(
            "entry_id", flat=True
        )
    )
    for entry in page:
        if entry.pk not in found:
            says = "it was written while a key was away, and nobody's tag waits for it."
            yield Finding(Kind.ENTRY_WITHOUT_TAGS, entry.place, says)


def entries_of_tags(step: Step) -> Iterator[Told]:
    """Each entry that bears tags covers those of the people who stand under it, and no others."""
    for page in log.pages_of({EntryType.SUBJECT_TAGGED}):
        yield from twice(_entries_of_tags, page)
        step(len(page))


def _entries_of_tags(page: list[EntryFacts]) -> Iterator[Told]:
    for entry in page:
        try:
            borne = borne_by(entry.pk)
        except KeyDestroyed:
            yield Skipped(entry.place)
            continue
        except NotReady as refusal:
            yield in_part(refusal, entry.place, entry.resource)
            continue
        if not borne:
            says = "no late tag stands under it."
            yield Finding(Kind.ENTRY_WITHOUT_TAGS, entry.place, says)
        elif subjects_root(borne) != entry.subjects_root:
            says = "it covers other tags than those that stand under it."
            yield Finding(Kind.TAGS_AND_ENTRY, entry.place, says)


CHECKS = (
    ("late tags and their entries", late),
    ("words without a key and their tags", words),
    ("entries and the tags they bear", entries_of_tags),
)
