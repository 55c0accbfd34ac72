"""One person's own list with its proofs: for each event its entry's path in the log, and her tag's
path in the entry."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from audit import queries as log
from audit.queries import facts as log_facts
from audit.queries.facts import EntryFacts
from audit.tlog import lists
from audit.tlog.canonical import canonical_bytes
from audit.tlog.lists import Later, Way
from audit.tlog.subjects import Step, climbed, steps, subject_path, subjects_root
from audit.tlog.tree import leaf_hash
from audit.vocabulary import EntryType
from consent.models import ConsentEvent
from consent.queries import keys, sharing, tags
from governance.models import User
from release.models import Inquiry, Recall, ReleasePart
from release.queries import accounting, recalls
from release.queries.events import Event
from release.rules.inquiries import commitment, told_to_holder
from release.rules.packed import unpack
from release.vocabulary import Deed

PAGE = 100


@dataclass(frozen=True)
class Copy:
    """Her list, and the head that it is shown under.

    `places`: the number in the log of each entry that the head holds, by the entry's key.
    """

    events: Sequence[Event]
    places: Mapping[int, int]
    size: int
    note: str

    @property
    def shown(self) -> list[Event]:
        """The events that have a proof; of two under one entry, one."""
        found: dict[tuple[int, int], Event] = {}
        for event in self.events:
            if event.entry is not None and event.entry in self.places:
                found.setdefault((event.entry, event.subject.slot), event)
        return list(found.values())

    def place(self, event: Event) -> int | None:
        """The number of its entry in the log; None where it has no proof."""
        return None if event.entry is None else self.places.get(event.entry)


def copy(account: User, *, without: Collection[int] = ()) -> Copy:
    """Everything about all whom this sign-in is, under one head of the log; `without` what names one of
    these recipients.

    What the log has not numbered yet is listed without a proof. Raises NotReady where the log has
    signed nothing, or where the key of one of her holders is not there.
    """
    _opened(account)
    events = [
        each
        for each in accounting.of(account)
        if each.recipient is None or each.recipient.pk not in without
    ]
    entries = log_facts.facts([pk for each in events for pk in (each.entry, each.later)])
    numbers = {pk: entry.seq for pk, entry in entries.items() if entry.seq is not None}
    head = log.head_over(max(numbers.values(), default=-1))
    places = {pk: seq for pk, seq in numbers.items() if seq < head.size}
    return Copy(events, places, head.size, log.note_with(head))


def text(found: Copy) -> Iterator[str]:
    """The list's proofs, a piece at a time."""
    return lists.rendered(len(found.shown), _proven(found), found.note)


def own_keys(account: User) -> str:
    """The keys that this account's tags are made with, one for each whom a holder knows her as."""
    return lists.rendered_keys(_opened(account))


def _opened(account: User) -> list[bytes]:
    return [
        keys.unwrap(each.holder.ref, [bytes(each.wrapped_key)])[0]
        for each in sharing.subjects(account)
    ]


def _proven(found: Copy) -> Iterator[lists.Event]:
    shown = [(each, each.entry) for each in found.shown if each.entry is not None]
    for start in range(0, len(shown), PAGE):
        page = shown[start : start + PAGE]
        later = [event.later for event, _ in page if event.later in found.places]
        entries = log_facts.facts([*(pk for _, pk in page), *later])
        leaves = log_facts.leaves(entries)
        for event, pk in page:
            borne = event.later if event.later in later else None
            way = _way(event, entries[pk]) if borne is None else _late(event, entries, borne)
            yield lists.Event(
                index=found.places[pk],
                leaf=leaves[pk],
                path=log.inclusion(found.places[pk], found.size),
                way=way,
                detail=_detail(pk) if event.deed == Deed.ASKED else None,
                later=_borne(found, borne, leaves) if way is not None else None,
            )


def _borne(found: Copy, borne: int | None, leaves: Mapping[int, bytes]) -> Later | None:
    if borne is None:
        return None
    place = found.places[borne]
    return Later(place, leaves[borne], log.inclusion(place, found.size))


def _late(event: Event, entries: Mapping[int, EntryFacts], borne: int) -> Way | None:
    """From her tag under the first entry's nonce up to what the later one covers."""
    if event.entry is None:
        return None
    own = keys.tag_of(event.subject, entries[event.entry].nonce)
    try:
        way = Way(own, (_among(tags.borne_by(borne), own),))
    except (ValueError, KeyError):
        return None
    return way if _leads(way, entries[borne].subjects_root or b"") else None


def _way(event: Event, entry: EntryFacts) -> Way | None:
    """From her tag up to the people whom the entry covers; None where it covers nobody, or where
    the tags of the others can be made no more: somebody's key is gone, and her tag was not left."""
    if entry.subjects_root is None:
        return None
    own, root = keys.tag_of(event.subject, entry.nonce), entry.subjects_root
    alone = Way(own, ((),))
    if _leads(alone, root):
        return alone
    for way in _ways(event, entry, own):
        if _leads(way, root):
            return way
    return None


def _leads(way: Way, root: bytes) -> bool:
    value = way.tag
    for tree in way.trees:
        value = climbed(leaf_hash(value), tree)
    return value == root


def _ways(event: Event, entry: EntryFacts, own: bytes) -> Iterator[Way]:
    holder, nonce = event.subject.holder.ref, entry.nonce
    try:
        if entry.type == EntryType.DATASET_RELEASED:
            yield _in_release(event, entry, own)
        elif entry.type == EntryType.RECALL_OPENED:
            asked = recalls.tagged(Recall.objects.get(entry=entry.pk), entry.pk)
            yield Way(own, (_among(keys.tags_of(holder, asked, nonce, entry=entry.pk), own),))
        else:  # an import, or noes said again after a restore
            said = ConsentEvent.objects.filter(entry=entry.pk, consent__holder__ref=holder)
            slots = sorted(set(said.values_list("consent__subject", flat=True)))
            made = keys.tags_of(holder, slots, nonce, entry=entry.pk)
            yield Way(own, (_among(made, own),))
    except (ValueError, KeyError):
        return


def _in_release(event: Event, entry: EntryFacts, own: bytes) -> Way:
    holder = event.subject.holder.ref
    beside: list[bytes] = []
    roots: list[bytes] = []
    hers = b""
    parts = ReleasePart.objects.filter(release=event.release).order_by("number")
    for slots, root in parts.values_list("slots", "root"):
        people = unpack(slots)
        inside = bool((people == event.subject.slot).any())
        if inside or root is None:
            made = keys.tags_of(holder, people.tolist(), entry.nonce, entry=entry.pk)
            root = subjects_root(made)
            if inside:
                beside, hers = made, root
        roots.append(bytes(root))
    return Way(own, (_among(beside, own), _among(roots, hers)))


def _among(several: Sequence[bytes], own: bytes) -> tuple[Step, ...]:
    return steps(subject_path(several, own))


def _detail(entry: int) -> bytes:
    """What the entry of an answer about her commits to, as it was told."""
    row = Inquiry.objects.select_related("request").get(entry=entry)
    until: date | None = row.record_until
    return canonical_bytes(
        commitment(
            ref=row.ref,
            request=row.request.ref,
            columns=row.columns,
            record_until=until,
            grounds=told_to_holder(row.grounds),
        )
    )
