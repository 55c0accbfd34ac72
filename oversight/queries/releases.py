"""Releases, their entries, their parts and whom they hold: each against the others."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import band
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import NotReady
from consent.queries.keys import KeyDestroyed, tags_of
from consent.rules import Slots
from oversight.queries.looks import Step, in_part, keys, twice
from oversight.vocabulary import Finding, Kind, Skipped, Told
from release.models import Release, ReleasePart, Use, Withheld
from release.rules.bits import slots_of
from release.rules.packed import unpack
from release.rules.slots import both, united
from release.vocabulary import ReleaseState

ANSWERS = {
    ReleaseState.PREPARED: EntryType.DATASET_RELEASED,
    ReleaseState.REFUSED: EntryType.DATASET_REFUSED,
}


def answers(step: Step) -> Iterator[Finding]:
    """Each answer has its entry, which says the same; each asking and each voiding has one too."""
    for page in keys(Release.objects.all()):
        yield from twice(_answers, page)
        step(len(page))


def _answers(pks: list[int]) -> Iterator[Finding]:
    releases = list(
        Release.objects.filter(pk__in=pks).select_related("purpose").defer("grounds").order_by("pk")
    )
    entries = log.facts([release.entry_id for release in releases])
    types = {EntryType.RELEASE_ASKED, EntryType.RELEASE_VOIDED}
    about = {
        (entry.type, entry.resource)
        for entry in log.about(types, [release.ref for release in releases])
    }
    for release in releases:
        place = f"release {release.ref}"
        if (EntryType.RELEASE_ASKED, release.ref) not in about:
            yield Finding(Kind.ASKED_WITHOUT_ENTRY, place, "no entry says that it was asked for.")
        if release.voided_at is not None and (EntryType.RELEASE_VOIDED, release.ref) not in about:
            yield Finding(Kind.VOID_WITHOUT_ENTRY, place, "it is void, and no entry says so.")
        if release.state != ReleaseState.WAITING:
            yield from _answer(release, entries.get(release.entry_id or 0), place)


def _answer(release: Release, entry: EntryFacts | None, place: str) -> Iterator[Finding]:
    kind, wanted = Kind.ANSWER_WITHOUT_ENTRY, ANSWERS[ReleaseState(release.state)]
    if entry is None:
        yield Finding(kind, place, "the entry of its answer is not there.")
        return
    if (entry.type, entry.resource) != (wanted, release.ref):
        yield Finding(kind, place, f"{entry.place} is not about its answer.")
        return
    said = (entry.epoch_everyone, entry.epoch_scope, entry.purpose, entry.time)
    stored = (
        release.epoch_everyone,
        release.epoch_scope,
        release.purpose.code,
        release.answered_at,
    )
    if said != stored:
        yield Finding(kind, place, f"its epochs, purpose or time are not those of {entry.place}.")
    if wanted == EntryType.DATASET_RELEASED:
        if sha256(bytes(release.manifest)).hexdigest() != entry.detail_commit:
            yield Finding(kind, place, f"its manifest is not the one that {entry.place} covers.")
        if entry.subjects_band != band(release.people):
            yield Finding(kind, place, f"it counts other people than {entry.place} does.")


def entries_of_answers(step: Step) -> Iterator[Finding]:
    """Each entry about an answer, an asking or a voiding has its release."""
    types = {*ANSWERS.values(), EntryType.RELEASE_ASKED, EntryType.RELEASE_VOIDED}
    for page in log.pages_of(types):
        yield from twice(_entries_of_answers, page)
        step(len(page))


def _entries_of_answers(page: list[EntryFacts]) -> Iterator[Finding]:
    rows = Release.objects.filter(ref__in={entry.resource for entry in page})
    found = {
        ref: (entry, voided) for ref, entry, voided in rows.values_list("ref", "entry", "voided_at")
    }
    for entry in page:
        release = found.get(entry.resource)
        if entry.type == EntryType.RELEASE_ASKED:
            if release is None:
                says = f"release {entry.resource}, which was asked for, is not there."
                yield Finding(Kind.ENTRY_WITHOUT_ASKED, entry.place, says)
        elif entry.type == EntryType.RELEASE_VOIDED:
            if release is None or release[1] is None:
                says = f"release {entry.resource} was declared void and is not."
                yield Finding(Kind.ENTRY_WITHOUT_VOID, entry.place, says)
        elif release is None or release[0] != entry.pk:
            says = f"release {entry.resource} is not there with this answer."
            yield Finding(Kind.ENTRY_WITHOUT_ANSWER, entry.place, says)


def people(step: Step) -> Iterator[Told]:
    """Whom the parts hold, whom the uses name and whom the entry covers are the same people; the last
    only where the key of the holder is there."""
    for page in keys(Release.objects.exclude(state=ReleaseState.WAITING), size=50):
        for pk in page:
            yield from twice(_people, pk)
        step(len(page))


def _people(pk: int) -> Iterator[Told]:
    release = Release.objects.select_related("holder").get(pk=pk)
    place = f"release {release.ref}"
    parts = list(
        ReleasePart.objects.filter(release=pk).order_by("number").values_list("rows", "slots")
    )
    inside = [unpack(slots) for _, slots in parts]
    sent = united(inside)
    named = slots_of(Use.objects.filter(release=pk).values_list("block", "bits"))
    kept = slots_of(Withheld.objects.filter(release=pk).values_list("block", "bits"))
    if not np.array_equal(sent, named):
        says = "its parts hold other people than its uses name."
        yield Finding(Kind.USES_AND_PARTS, place, says)
    if (sum(rows for rows, _ in parts), len(sent)) != (release.rows, release.people):
        says = "its parts have other counts of rows or people than it says."
        yield Finding(Kind.PARTS_AND_RELEASE, place, says)
    if len(both(named, kept)):
        says = "somebody stands among those sent and among those kept back."
        yield Finding(Kind.USES_AND_WITHHELD, place, says)
    entry = log.facts([release.entry_id]).get(release.entry_id or 0)
    if entry is not None and entry.subjects_root is not None:
        yield from _covered(release.holder.ref, inside, entry, place)


def _covered(holder: str, inside: Sequence[Slots], entry: EntryFacts, place: str) -> Iterator[Told]:
    try:
        roots = [
            subjects_root(tags_of(holder, slots.tolist(), entry.nonce, entry=entry.pk))
            for slots in inside
        ]
    except KeyDestroyed:
        yield Skipped(place)
        return
    except NotReady as refusal:
        yield in_part(refusal, place, holder)
        return
    except ValueError:  # somebody in it is enrolled nowhere
        roots = []
    if not roots or subjects_root(roots) != entry.subjects_root:
        says = f"the people in it are not those that {entry.place} covers."
        yield Finding(Kind.PEOPLE_AND_ENTRY, place, says)


CHECKS = (
    ("answers and their entries", answers),
    ("entries and their answers", entries_of_answers),
    ("people of releases", people),
)
