"""One person's list made again from the log and her own key, without the tables that list is made of.

Every entry is walked. Her tag is made anew from her key for each; where an entry covers several
people, all their tags are made and must lead to the root in the entry, or nothing is believed of it.
Only who is in a part, who was in a loaded version, and which entries a later one bears tags of, is
read beside the log. Where the key of somebody else is destroyed, the tag that was left stands for hers;
where none was, the root that the part keeps stands for all its people's.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import tag
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from consent.models import ConsentEvent, LateTag, Subject
from consent.queries import tags
from consent.queries.keys import KeyDestroyed, tags_of
from oversight.queries.said import EVENTS, LIFTINGS, OBJECTIONS
from release.models import Presence, Recall, Release, ReleasePart, Sending
from release.queries import recalls
from release.queries.accounting import WIPING
from release.queries.around import AROUND
from release.rules.bits import block_of, place_of
from release.rules.packed import unpack
from release.vocabulary import Deed, DownloadPart

HER_WORDS = EVENTS | OBJECTIONS | LIFTINGS | WIPING | AROUND
RECALLS = {
    EntryType.RECALL_OPENED,
    EntryType.RECALL_ACKNOWLEDGED,
    EntryType.RECALL_REPORTED,
    EntryType.RECALL_OVERDUE,
}
TYPES = {
    *RECALLS,
    *HER_WORDS,
    EntryType.SUBJECT_TAGGED,
    EntryType.DATASET_RELEASED,
    EntryType.DATASET_REFUSED,
    EntryType.INQUIRY_ANSWERED,
}


@dataclass(frozen=True)
class Told:
    """One line of the list: what happened, and the entry that says so."""

    deed: Deed
    entry: int


@dataclass(frozen=True)
class Person:
    """Whose list it is: her slot, her holder, and the one secret that leads to her entries."""

    slot: int
    holder: int
    holder_ref: str
    key: bytes


def replay(subject: Subject, key: bytes) -> list[Told]:
    """Everything that the log says about whoever has this key, oldest first.

    What was said while the key was away is found by the later entry that bears its tag.
    Raises NotReady where the holder's key is not there: others' tags stand beside hers.
    """
    person = Person(subject.slot, subject.holder_id, subject.holder.ref, key)
    inside: dict[str, Collection[int]] = {}  # her releases, and in which of their parts she is
    found = [
        told
        for page in log.pages_of(TYPES)
        for entry in page
        for told in _about(entry, person, inside)
    ]
    # Hand-overs once all releases are known: entries may be numbered otherwise than they committed.
    return found + [
        told
        for page in log.pages_of({EntryType.DOWNLOAD_GIVEN})
        for entry in page
        for told in _handed(entry, inside)
    ]


def _about(entry: EntryFacts, person: Person, inside: dict[str, Collection[int]]) -> Iterator[Told]:
    own = tag(person.key, entry.nonce)
    if entry.type in HER_WORDS:
        if entry.resource == own.hex() or _covers(entry, person, own):
            yield Told(_deed(entry), entry.pk)
    elif entry.type == EntryType.SUBJECT_TAGGED:
        yield from _late(entry, person)
    elif entry.type == EntryType.INQUIRY_ANSWERED:
        if entry.subjects_root == subjects_root([own]):
            yield Told(Deed.ASKED, entry.pk)
    elif entry.type in RECALLS:
        yield from _recalled(entry, person, own, inside)
    else:
        yield from _answered(entry, person, own, inside)


def _answered(
    entry: EntryFacts, person: Person, own: bytes, inside: dict[str, Collection[int]]
) -> Iterator[Told]:
    if parts := _parts(entry, person, own):
        inside[entry.resource] = parts
        yield Told(Deed.READY, entry.pk)
    elif _present(entry, person):
        yield Told(Deed.KEPT_BACK, entry.pk)


def _recalled(
    entry: EntryFacts, person: Person, own: bytes, inside: dict[str, Collection[int]]
) -> Iterator[Told]:
    """What was asked back of a recipient for her among others, and each answer to that."""
    if entry.type == EntryType.RECALL_OPENED:
        recall = Recall.objects.filter(entry=entry.pk, release__holder=person.holder).first()
        slots = [] if recall is None else recalls.tagged(recall, entry.pk)
        made = _tags(person, slots, entry) or []
        if own not in made or subjects_root(made) != entry.subjects_root:
            return
        inside[entry.resource] = ()
    if entry.resource in inside:
        yield Told(Deed.RECALLED, entry.pk)


def _deed(entry: EntryFacts) -> Deed:
    if entry.type in AROUND:
        return Deed.AROUND
    return Deed.WIPING if entry.type in WIPING else Deed.SAID


def _late(entry: EntryFacts, person: Person) -> Iterator[Told]:
    """Earlier entries whose tag, made with her key, is among those that this later one covers."""
    try:
        borne = tags.borne_by(entry.pk)
    except KeyDestroyed:
        return
    if subjects_root(borne) != entry.subjects_root:
        return
    rows = LateTag.objects.filter(tagged=entry.pk, subject=person.slot)
    for earlier in log.facts(rows.values_list("entry_id", flat=True)).values():
        if tag(person.key, earlier.nonce) in borne:
            yield Told(_deed(earlier), earlier.pk)


def _covers(entry: EntryFacts, person: Person, own: bytes) -> bool:
    """Whether her tag is among those of an entry about several people's words."""
    people = ConsentEvent.objects.filter(entry=entry.pk, consent__holder=person.holder)
    slots = sorted(set(people.values_list("consent__subject", flat=True)))
    if person.slot not in slots:
        return False
    made = _tags(person, slots, entry)
    return made is None or (own in made and subjects_root(made) == entry.subjects_root)


def _parts(entry: EntryFacts, person: Person, own: bytes) -> set[int]:
    """The parts of a release in which her tag is; none where they are not what the entry covers."""
    if entry.subjects_root is None:
        return set()
    rows = ReleasePart.objects.filter(release__ref=entry.resource, release__holder=person.holder)
    inside: set[int] = set()
    roots: list[bytes] = []
    for number, packed, root in rows.values_list("number", "slots", "root"):
        slots = unpack(packed).tolist()
        made = _tags(person, slots, entry)
        roots.append(bytes(root or b"") if made is None else subjects_root(made))
        if person.slot in slots if made is None else own in made:
            inside.add(number)
    if not all(roots) or subjects_root(roots) != entry.subjects_root:
        return set()
    return inside


def _tags(person: Person, slots: list[int], entry: EntryFacts) -> list[bytes] | None:
    """The tags of these people of her holder; None where one of them can be made no more."""
    try:
        return tags_of(person.holder_ref, slots, entry.nonce, entry=entry.pk)
    except ValueError:
        return None


def _present(entry: EntryFacts, person: Person) -> bool:
    """Whether she was in the version that an answer is about."""
    versions = Release.objects.filter(ref=entry.resource, version__isnull=False)
    byte, mask = place_of(person.slot)
    bits = Presence.objects.filter(
        version__in=versions.values("version"), block=block_of(person.slot)
    ).values_list("bits", flat=True)
    return any(bytes(each)[byte] & mask for each in bits)


def _handed(entry: EntryFacts, inside: dict[str, Collection[int]]) -> Iterator[Told]:
    """A hand-over of a package she is in, or of her part of it, of which a byte was sent."""
    piece, _, number = entry.reason.partition("-")
    hers = inside.get(entry.resource)
    if hers is None or piece == DownloadPart.MANIFEST:
        return
    if (not number or int(number) in hers) and Sending.objects.filter(
        download__entry=entry.pk
    ).exists():
        yield Told(Deed.PICKED_UP, entry.pk)
