"""What consents and standing noes say, against what was committed to when it was said (ADR 21).

Needs nobody's key. Entries of before that commit to nothing; they are counted and said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256

from audit import queries as details
from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import is_together, said_otherwise, said_together
from audit.vocabulary import EntryType
from consent.models import ConsentEvent, Objection
from consent.queries import words
from consent.queries.words import UNTIL, Said
from consent.vocabulary import Happening
from governance.vocabulary import REPLAYED
from oversight.queries.looks import Step, keys, twice
from oversight.queries.said import ASKS, EVENTS, OBJECTIONS
from oversight.vocabulary import Finding, Kind, Told, Uncommitted

CHUNK = 5000
KIND = Kind.WORDS_AND_ENTRY
PLAIN = {
    "person": "whose it is",
    "holder": "who shares",
    "recipient": "who receives",
    "purpose": "what for",
    "categories": "which information",
    "terms": "the text that was shown",
    "manner": "how and by whom it was signed",
    "signed": "when it was signed",
    "starts": "its start",
    "ends": "its end",
    "record_until": "until when what is recorded may go",
    UNTIL: "until when it is paused",
    "kind": "which kind of recipient",
    "category": "which information",
    "made": "when it was said",
    "offered": "what was asked for",
    "days": "for how long it was asked",
    "renews": "which yes it would go on from",
    "asked": "when it was asked",
    "answer_by": "until when it could be answered",
    "effect": "when it counts",
    "contested": "what was said of it",
    "decided": "what was decided",
}


def consents(step: Step) -> Iterator[Told]:
    """Each consent, running or over, says what every entry about it commits to."""
    for page in log.pages_of(EVENTS - ASKS):
        yield from twice(_consents, page)
        step(len(page))


def _consents(page: list[EntryFacts]) -> Iterator[Told]:
    beside = details.sealed_details([entry.pk for entry in page])
    one, many = [], []
    for entry in page:
        kept = beside.get(entry.pk)
        if not entry.detail_commit:
            yield Uncommitted(entry.place)
        elif not is_whole(entry, kept):
            yield Finding(KIND, entry.place, "what it commits to is gone, or is another.")
        elif kept is not None and is_together(kept):
            many.append((entry, kept))
        elif kept is not None:
            one.append((entry, kept))
    yield from _single(one)
    for entry, kept in many:
        if not said_together(kept, _under(entry)):
            says = "somebody's yes among those under it says something else than it commits to."
            yield Finding(KIND, entry.place, says)


def _single(entries: list[tuple[EntryFacts, bytes]]) -> Iterator[Finding]:
    """Entries about one consent each."""
    events = {
        event.entry_id: event
        for event in ConsentEvent.objects.filter(entry__in=[entry.pk for entry, _ in entries])
    }
    of = {event.consent_id for event in events.values()}
    said, pauses = words.consents(of), words.paused(of)
    for entry, kept in entries:
        event = events.get(entry.pk)
        if event is None:
            continue  # the entries' own look names it
        now = said.get(event.consent_id)
        place = f"consent row {event.consent_id}"
        if now is None:
            yield Finding(KIND, place, f"it is not there, and {entry.place} commits to it.")
        else:
            yield from compared(kept, now | _until(event, pauses), entry, place)


def _until(event: ConsentEvent, pauses: Mapping[int, tuple[datetime, str]]) -> Said:
    """Until when a pause lasts; nothing of one that another followed, for its day is not kept."""
    since, until = pauses.get(event.consent_id, (None, ""))
    return {UNTIL: until} if event.happening == Happening.PAUSED and since == event.at else {}


def _under(entry: EntryFacts) -> Iterator[Said]:
    """What the consents say now that this entry is about: a file's yeses, or what ended together."""
    events = ConsentEvent.objects.filter(entry=entry.pk)
    if entry.type == EntryType.CONSENT_IMPORTED:
        events = events.filter(happening=Happening.GIVEN)
    for page in keys(events, size=CHUNK):
        several = events.filter(pk__in=page).values_list("consent_id", flat=True)
        yield from words.consents(list(several)).values()


def objections(step: Step) -> Iterator[Told]:
    """Each standing no, and each that was taken back, says what its entries commit to."""
    again = _said_again()
    for page in keys(Objection.objects.all()):
        yield from twice(partial(_objections, again=again), page)
        step(len(page))


def _objections(
    pks: Collection[int], again: list[tuple[EntryFacts, bytes | None]]
) -> Iterator[Told]:
    rows = list(Objection.objects.filter(pk__in=pks).order_by("pk"))
    said = words.objections(pks)
    narrowed = _narrowed(rows)
    times = {at for row in rows for at in (row.made_at, row.lifted_at, *narrowed.get(row.pk, ()))}
    entries = _with_details(log.at_time(OBJECTIONS, {at for at in times if at is not None}))
    for row in rows:
        now, place = said.get(row.pk), f"objection row {row.pk}"
        if now is None:
            continue  # whose it is is not there: their own look names it
        made = [each for each in entries if _made(each[0], row, narrowed.get(row.pk, ()))]
        yield from _one_of(made or again, now, place)
        taken = [each for each in entries if _lifted(each[0], row)]
        if taken:
            yield from _one_of(taken, now, place)


def _made(entry: EntryFacts, row: Objection, narrowed: Collection[datetime]) -> bool:
    if entry.type == EntryType.OBJECTION_MADE:
        return entry.time == row.made_at and entry.reason != REPLAYED
    return entry.type == EntryType.OBJECTION_NARROWED and entry.time in narrowed


def _lifted(entry: EntryFacts, row: Objection) -> bool:
    return entry.type == EntryType.OBJECTION_LIFTED and entry.time == row.lifted_at


def _narrowed(rows: Iterable[Objection]) -> dict[int, set[datetime]]:
    """When a no that was made smaller may have become each of these: it keeps the day it was said."""
    made = {row.made_at for row in rows}
    larger = Objection.objects.filter(made_at__in=made, lifted_at__isnull=False)
    ends: dict[tuple[int, datetime], set[datetime]] = {}
    for slot, at, lifted_at in larger.values_list("subject_id", "made_at", "lifted_at"):
        if lifted_at is not None:
            ends.setdefault((slot, at), set()).add(lifted_at)
    return {row.pk: ends.get((row.subject_id, row.made_at), set()) for row in rows}


def _one_of(
    entries: Collection[tuple[EntryFacts, bytes | None]], now: Said, place: str
) -> Iterator[Told]:
    """Says what differs from the entry that is about this person; nothing where one agrees whole."""
    nearest: tuple[tuple[str, ...], EntryFacts] | None = None
    bare = False
    for entry, kept in entries:
        if kept is None or is_together(kept):
            bare = True
            continue
        other = said_otherwise(kept, now)
        if not other:
            return
        if "person" not in other and (nearest is None or len(other) < len(nearest[0])):
            nearest = other, entry
    if nearest is not None:
        yield _differs(*nearest, place)
    elif bare:
        yield Uncommitted(place)
    else:
        yield Finding(KIND, place, "no entry commits to what it says, or it was said by another.")


def _with_details(entries: Collection[EntryFacts]) -> list[tuple[EntryFacts, bytes | None]]:
    """Each with what stands beside it; nothing where it commits to nothing, or that is gone."""
    beside = details.sealed_details([entry.pk for entry in entries])
    return [
        (entry, beside[entry.pk] if is_whole(entry, beside.get(entry.pk)) else None)
        for entry in entries
        if not entry.detail_commit or is_whole(entry, beside.get(entry.pk))
    ]


def _said_again() -> list[tuple[EntryFacts, bytes | None]]:
    """The entries of noes that were said again after a restore: they stand at a later time."""
    found = [
        entry
        for page in log.pages_of({EntryType.OBJECTION_MADE})
        for entry in page
        if entry.reason == REPLAYED
    ]
    return _with_details(found)


def is_whole(entry: EntryFacts, kept: bytes | None) -> bool:
    return kept is not None and sha256(kept).hexdigest() == entry.detail_commit


def compared(kept: bytes, now: Said, entry: EntryFacts, place: str) -> Iterator[Finding]:
    other = said_otherwise(kept, now)
    if other:
        yield _differs(other, entry, place)


def _differs(other: tuple[str, ...], entry: EntryFacts, place: str) -> Finding:
    what = "; ".join(PLAIN[name] for name in other)
    return Finding(KIND, place, f"it does not say what {entry.place} commits to: {what}.")


CHECKS = (
    ("consents and what was committed to", consents),
    ("standing noes and what was committed to", objections),
)
