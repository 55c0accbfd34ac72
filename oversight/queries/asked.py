"""What holders were answered about one client, each with its entry."""

from collections.abc import Iterator
from hashlib import sha256

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.tlog.canonical import canonical_bytes
from audit.tlog.subjects import subjects_root
from audit.vocabulary import Decision, EntryType
from common.errors import NotReady
from consent.queries.keys import tag_of
from oversight.queries.looks import Step, in_part, keys, twice
from oversight.vocabulary import Finding, Kind, Skipped, Told
from release.models import Inquiry
from release.rules.inquiries import commitment, told_to_holder

OWN = "inq-"  # an entry about who was turned away names the request instead


def inquiries(step: Step) -> Iterator[Told]:
    """Each answer about one person has its entry, which commits to it and is about her; the last only
    where the key of the holder is there."""
    for page in keys(Inquiry.objects.all()):
        yield from twice(_inquiries, page)
        step(len(page))


def _inquiries(pks: list[int]) -> Iterator[Told]:
    rows = list(
        Inquiry.objects.filter(pk__in=pks)
        .select_related("request__purpose", "subject__holder")
        .order_by("pk")
    )
    entries = log.facts([row.entry_id for row in rows])
    kind = Kind.INQUIRY_WITHOUT_ENTRY
    for row in rows:
        place, entry = f"inquiry {row.ref}", entries.get(row.entry_id)
        if entry is None:
            yield Finding(kind, place, "its entry is not there.")
        elif _said(entry) != _stored(row):
            yield Finding(kind, place, f"{entry.place} is not about it, or says another answer.")
        elif row.subject is not None and row.subject.shredded_at is not None:
            yield Skipped(place)
        else:
            yield from _about_her(row, entry, place)


def _about_her(row: Inquiry, entry: EntryFacts, place: str) -> Iterator[Told]:
    root = None
    if row.subject is not None:
        try:
            root = subjects_root([tag_of(row.subject, entry.nonce)])
        except NotReady as refusal:
            yield in_part(refusal, place, row.subject.holder.ref)
            return
    if entry.subjects_root != root:
        says = f"{entry.place} is about another person."
        yield Finding(Kind.INQUIRY_WITHOUT_ENTRY, place, says)


def _said(entry: EntryFacts) -> tuple[object, ...]:
    return (
        *(entry.type, entry.resource, entry.time, entry.purpose, entry.decision),
        entry.detail_commit,
    )


def _stored(row: Inquiry) -> tuple[object, ...]:
    said = commitment(
        ref=row.ref,
        request=row.request.ref,
        columns=row.columns,
        record_until=row.record_until,
        grounds=told_to_holder(row.grounds),
    )
    return (
        *(EntryType.INQUIRY_ANSWERED, row.ref, row.at, row.request.purpose.code),
        Decision.PERMITTED if row.permitted else Decision.REFUSED,
        sha256(canonical_bytes(said)).hexdigest(),
    )


def entries_of_inquiries(step: Step) -> Iterator[Finding]:
    """Each entry about such an answer has its row."""
    for page in log.pages_of({EntryType.INQUIRY_ANSWERED}):
        yield from twice(_entries_of_inquiries, page)
        step(len(page))


def _entries_of_inquiries(page: list[EntryFacts]) -> Iterator[Finding]:
    rows = Inquiry.objects.filter(entry__in=[entry.pk for entry in page])
    found = set(rows.values_list("entry_id", flat=True))
    for entry in page:
        if entry.pk not in found and entry.resource.startswith(OWN):
            says = f"inquiry {entry.resource} is not there with this answer."
            yield Finding(Kind.ENTRY_WITHOUT_INQUIRY, entry.place, says)


CHECKS = (
    ("inquiries and their entries", inquiries),
    ("entries and their inquiries", entries_of_inquiries),
)
