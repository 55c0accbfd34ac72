"""What each person said: consents from their events, events and objections with their entries."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import tag
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import NotReady
from consent.models import Consent, ConsentEvent, Objection, ProposalStep, Subject
from consent.queries.keys import KeyDestroyed, tags_of, those_opened
from consent.vocabulary import Happening
from governance.vocabulary import REPLAYED
from oversight import rules
from oversight.queries.looks import Step, in_part, keys, twice
from oversight.vocabulary import Finding, Kind, Locked, Skipped, Told

MOMENT = timedelta(microseconds=1)  # how long a no that does not go on standing stands
# A row is named by its number in its table: a reference is known to the person, and leads to her.
# What happens to an ask for a yes, which is no consent yet; its steps stand under these.
ASKS = {
    *(EntryType.CONSENT_REQUESTED, EntryType.CONSENT_DEFERRED, EntryType.CONSENT_REFUSED),
    *(EntryType.CONSENT_SIGNED, EntryType.CONSENT_CANCELLED, EntryType.CONSENT_LAPSED),
}
EVENTS = {
    *(EntryType(f"consent:{each.value}") for each in Happening),
    *(EntryType.CONSENT_IMPORTED, *ASKS),
}
LIFTINGS = {EntryType.OBJECTION_LIFTING, EntryType.OBJECTION_KEPT}
OBJECTIONS = {
    EntryType.OBJECTION_MADE,
    EntryType.OBJECTION_NARROWED,
    EntryType.OBJECTION_LIFTED,
}


def consents(step: Step) -> Iterator[Told]:
    """Each consent stands as its events say, and each event has the entry that is about it: whose it
    is only where the key of the holder is there."""
    for page in keys(Consent.objects.all()):
        yield from twice(_consents, page)
        step(len(page))


def _consents(pks: list[int]) -> Iterator[Told]:
    rows = list(Consent.objects.filter(pk__in=pks).select_related("subject__holder").order_by("pk"))
    events: dict[int, list[ConsentEvent]] = {row.pk: [] for row in rows}
    for event in ConsentEvent.objects.filter(consent__in=pks).order_by("pk"):
        events.setdefault(event.consent_id, []).append(event)
    entries = log.facts([event.entry_id for several in events.values() for event in several])
    own = _keys(row.subject for row in rows)
    for pk in sorted(set(pks) - {row.pk for row in rows}):
        yield Finding(Kind.STATE_AND_EVENTS, f"consent row {pk}", "whose it is is not there.")
    for row in rows:
        theirs = events[row.pk]
        place = f"consent row {row.pk}"
        state = rules.derived([(event.happening, event.at) for event in theirs])
        if isinstance(state, str):
            yield Finding(Kind.STATE_AND_EVENTS, place, state)
        elif state != rules.State(row.ended_at, row.ending, row.paused_at, row.expired_at):
            says = "it does not stand as its events say: its end or its pause is another."
            yield Finding(Kind.STATE_AND_EVENTS, place, says)
        for event in theirs:
            yield from _event(event, entries.get(event.entry_id), own.get(row.subject_id), place)
        if row.subject_id not in own:
            yield _unnamed(row.subject, place)


def _event(
    event: ConsentEvent, entry: EntryFacts | None, key: bytes | None, place: str
) -> Iterator[Finding]:
    kind = Kind.EVENT_WITHOUT_ENTRY
    if entry is None:
        yield Finding(kind, place, f"the entry of what happened to it ({event.happening}) is gone.")
    elif entry.type not in rules.entries_of(event.happening):
        says = f"{entry.place} is not about what happened to it ({event.happening})."
        yield Finding(kind, place, says)
    elif entry.reason != REPLAYED and entry.time != event.at:
        yield Finding(kind, place, f"what {entry.place} is about happened at another time.")
    elif key and _names_one(entry) and tag(key, entry.nonce).hex() != entry.resource:
        yield Finding(kind, place, f"{entry.place} is about another person.")


def _names_one(entry: EntryFacts) -> bool:
    """Whether its resource is a tag; with a reason, it was said while the key was not there."""
    return entry.type != EntryType.CONSENT_IMPORTED and not entry.reason


def _keys(subjects: Iterable[Subject]) -> dict[int, bytes]:
    """The keys of these people, by slot; whose key was destroyed is left out, and whose does not open."""
    by_holder: dict[str, dict[int, bytes]] = {}
    for subject in subjects:
        if subject.shredded_at is not None:
            continue
        by_holder.setdefault(subject.holder.ref, {})[subject.slot] = bytes(subject.wrapped_key)
    found: dict[int, bytes] = {}
    for holder, wrapped in by_holder.items():
        with suppress(NotReady):
            found |= those_opened(holder, wrapped)
    return found


def _unnamed(subject: Subject, place: str) -> Skipped | Locked:
    """Why nobody can tell here whether an entry is about this person."""
    return Skipped(place) if subject.shredded_at else Locked(place, subject.holder.ref)


def entries_of_events(step: Step) -> Iterator[Told]:
    """Each entry about what somebody said has its event, and an import's covers whom it names."""
    for page in log.pages_of(EVENTS):
        yield from twice(_entries_of_events, page)
        step(len(page))


def _entries_of_events(page: list[EntryFacts]) -> Iterator[Told]:
    rows = ConsentEvent.objects.filter(entry__in=[entry.pk for entry in page])
    found = set(rows.values_list("entry_id", flat=True))
    asks = ProposalStep.objects.filter(entry__in=[entry.pk for entry in page])
    steps = set(asks.values_list("entry_id", flat=True))
    for entry in page:
        if entry.type in ASKS:
            if entry.pk not in steps:
                says = "nothing that happened to an ask stands under it."
                yield Finding(Kind.ENTRY_WITHOUT_EVENT, entry.place, says)
        elif entry.pk not in found:
            says = "nothing that happened to a consent stands under it."
            yield Finding(Kind.ENTRY_WITHOUT_EVENT, entry.place, says)
        elif entry.type == EntryType.CONSENT_IMPORTED:
            yield from _imported(entry)


def _imported(entry: EntryFacts) -> Iterator[Told]:
    given = ConsentEvent.objects.filter(entry=entry.pk, happening=Happening.GIVEN).order_by()
    people: list[tuple[str, int]] = list(
        given.values_list("consent__holder__ref", "consent__subject").distinct()
    )
    holders = {holder for holder, _ in people}
    try:
        slots = [slot for _, slot in people]
        covers = len(holders) == 1 and _covers(entry, people[0][0], slots)
    except KeyDestroyed:
        yield Skipped(entry.place)
        return
    except NotReady as refusal:
        yield in_part(refusal, entry.place, people[0][0])
        return
    if not covers:
        says = "it covers other people than the consents that were recorded under it."
        yield Finding(Kind.ENTRY_WITHOUT_EVENT, entry.place, says)


def _covers(entry: EntryFacts, holder: str, slots: list[int]) -> bool:
    tags = tags_of(holder, slots, entry.nonce, entry=entry.pk)
    return subjects_root(tags) == entry.subjects_root


def objections(step: Step) -> Iterator[Told]:
    """Each standing no has the entry of its making, and of its lifting."""
    for page in keys(Objection.objects.all()):
        yield from twice(_objections, page)
        step(len(page))


def _objections(pks: list[int]) -> Iterator[Told]:
    rows = list(
        Objection.objects.filter(pk__in=pks).select_related("subject__holder").order_by("pk")
    )
    times = {row.made_at for row in rows} | {row.lifted_at for row in rows if row.lifted_at}
    entries: dict[object, list[EntryFacts]] = {}
    for entry in log.at_time(OBJECTIONS, times):
        entries.setdefault(entry.time, []).append(entry)
    own = _keys(row.subject for row in rows)
    for pk in sorted(set(pks) - {row.pk for row in rows}):
        says = "whose it is is not there."
        yield Finding(Kind.OBJECTION_WITHOUT_ENTRY, f"objection row {pk}", says)
    lone = []
    for row in rows:
        if row.subject_id not in own:
            yield _unnamed(row.subject, f"objection row {row.pk}")
            continue
        made = entries.get(row.made_at, [])
        if not _about(made, own[row.subject_id], {EntryType.OBJECTION_MADE}):
            lone.append(row)
        yield from _taken_back(row, own[row.subject_id], entries.get(row.lifted_at, []))
    again = _said_again() if lone else []
    for row in lone:
        if not any(tag(own[row.subject_id], nonce).hex() == about for nonce, about in again):
            says = "no entry says that it was said."
            yield Finding(Kind.OBJECTION_WITHOUT_ENTRY, f"objection row {row.pk}", says)


def _taken_back(row: Objection, key: bytes, entries: Sequence[EntryFacts]) -> Iterator[Finding]:
    if row.lifted_at is None or row.lifted_at == row.made_at + MOMENT:
        return
    if not _about(entries, key, OBJECTIONS - {EntryType.OBJECTION_MADE}):
        says = "it was taken back, and no entry says so."
        yield Finding(Kind.OBJECTION_WITHOUT_ENTRY, f"objection row {row.pk}", says)


def _about(entries: Sequence[EntryFacts], key: bytes, types: set[EntryType]) -> bool:
    return any(
        entry.type in types and (entry.reason or tag(key, entry.nonce).hex() == entry.resource)
        for entry in entries
    )


def _said_again() -> list[tuple[bytes, str]]:
    """The entries of noes that were said again after a restore: they stand at a later time."""
    return [
        (entry.nonce, entry.resource)
        for page in log.pages_of({EntryType.OBJECTION_MADE})
        for entry in page
        if entry.reason == REPLAYED
    ]


def entries_of_objections(step: Step) -> Iterator[Finding]:
    """Each entry about a standing no has its row."""
    for page in log.pages_of(OBJECTIONS):
        yield from twice(_entries_of_objections, page)
        step(len(page))


def _entries_of_objections(page: list[EntryFacts]) -> Iterator[Finding]:
    times = {entry.time for entry in page}
    made = set(Objection.objects.filter(made_at__in=times).values_list("made_at", flat=True))
    lifted = set(Objection.objects.filter(lifted_at__in=times).values_list("lifted_at", flat=True))
    for entry in page:
        known = made if entry.type == EntryType.OBJECTION_MADE else lifted
        if entry.reason != REPLAYED and entry.time not in known:
            says = "no standing no that was said or taken back then is there."
            yield Finding(Kind.ENTRY_WITHOUT_OBJECTION, entry.place, says)


CHECKS = (
    ("consents and their events", consents),
    ("entries and their events", entries_of_events),
    ("standing noes and their entries", objections),
    ("entries and their standing noes", entries_of_objections),
)
