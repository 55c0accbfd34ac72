"""Whether what was prepared may still be handed over: asked again at every access."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from consent.queries import latest
from consent.rules import ConsentSets, Slots
from governance.models import RequestField
from governance.queries import policies, scopes
from governance.queries.scopes import Epochs
from release.models import Recall, Release, Use
from release.queries import facts, versions
from release.rules import timing
from release.rules.bits import block_of, slots_of
from release.rules.decide import Column, Group, People, grouped, open_people, whole_grounds
from release.rules.manifest import NOTICED
from release.rules.policy import gate_policy
from release.rules.slots import united, without
from release.vocabulary import Ground, ReleaseState, VoidGround

WHOLE: dict[Ground, VoidGround] = {
    Ground.NO_REQUEST: VoidGround.REQUEST,
    Ground.REQUEST_PERIOD: VoidGround.REQUEST,
    Ground.NO_MEMBER: VoidGround.REQUEST,
    Ground.NARRATIVE: VoidGround.CATALOGUE,
    Ground.NO_AGREEMENT: VoidGround.AGREEMENT,
    Ground.AGREEMENT_SUSPENDED: VoidGround.AGREEMENT,
    Ground.AGREEMENT_PERIOD: VoidGround.AGREEMENT,
    Ground.AGREEMENT_DATASET: VoidGround.AGREEMENT,
    Ground.AGREEMENT_PURPOSE: VoidGround.AGREEMENT,
    Ground.AGREEMENT_CATEGORY: VoidGround.AGREEMENT,
    Ground.DATASET_NOT_ACTIVE: VoidGround.CATALOGUE,
    Ground.PURPOSE_NOT_ACTIVE: VoidGround.CATALOGUE,
    Ground.REPORTING_ROWS: VoidGround.CATALOGUE,
    Ground.IMMIGRATION_FACTS: VoidGround.CATALOGUE,
    Ground.NO_VERSION: VoidGround.CATALOGUE,
    Ground.NO_KEY: VoidGround.KEY,
}


@dataclass(frozen=True)
class Held:
    """What of one category is in a package for some people; no columns: all of it."""

    category: int
    columns: tuple[str, ...]

    def bits(self, groups: Sequence[Group], columns: Sequence[Column]) -> int:
        """The groups, as they stand today, that all have to be open; 0 where one is not there."""
        today = {column.name: column.group for column in columns}
        names = self.columns or tuple(
            name for name, group in today.items() if groups[group].category == self.category
        )
        if not all(name in today for name in names):
            return 0
        return sum({1 << today[name] for name in names})


def void_ground(release: Release, at: datetime) -> VoidGround | None:
    """Why this package may not be handed over at `at`, or None: it may.

    To be asked under the shared locks, for the answer holds only as long as they do.
    """
    against = whole_ground(release, at)
    if against is not None:
        return against
    # Whoever said yes again since an asking-back is in the next package.
    if Recall.objects.filter(release=release).exists():
        return VoidGround.CONSENT_ENDED
    # What was corrected in a newer version must not go out as it was.
    if release.version is not None and versions.is_followed(release.version):
        return VoidGround.SUPERSEDED
    moves = scopes.moves_since(epochs_of(release), release.recipient_id)
    gone = np.array(sorted(moves.slots), dtype=np.int32)
    if len(closed(release, gone, at)):
        return VoidGround.PERSON_SAID_NO
    ended = release.good_until is None or at >= release.good_until
    if (ended or moves.whole) and len(closed(release, used(release), at)):
        return VoidGround.CONSENT_ENDED if ended else VoidGround.CATALOGUE
    return None


def whole_ground(release: Release, at: datetime) -> VoidGround | None:
    """Why nothing at all of this package may be handed over at `at`, people's words apart."""
    if release.answered_at is None or release.voided_at is not None:
        return VoidGround(release.void_ground) if release.void_ground else VoidGround.FILES
    if at >= release.answered_at + timing.PACKAGE_LIFE:
        return VoidGround.UNFETCHED
    against = whole_grounds(facts.gather_whole(release, release.version), at, at)
    if against:
        return WHOLE[against[0]]
    if facts.current_key(release) != release.key:
        return VoidGround.KEY
    if columns_moved(release):
        return VoidGround.CATALOGUE
    return None


def columns_moved(release: Release) -> bool:
    """Whether a column of the package belongs to another category now than when it was written, or
    to one that came since under the notice against passing on."""
    told = json.loads(bytes(release.manifest))
    written = {each["name"]: each["category"] for each in told["columns"] if each["category"]}
    rows = RequestField.objects.filter(
        request=release.request_id, field__name__in=written
    ).values_list("field__name", "field__category__code", "field__category__care")
    now = {name: code for name, code, _ in rows}
    warned = set(told.get("redisclosure", {}).get("columns", ()))
    return now != written or warned != {name for name, _, care in rows if care == NOTICED}


def policy(release: Release) -> str:
    """By which rules the gate answers about it, for the answer's entry. Whom a missing role turns
    away, no rule of the gate has answered."""
    return gate_policy(policies.basis(release.request_id))


def epochs_of(release: Release) -> Epochs:
    """The epochs a prepared release stands on."""
    return Epochs(everyone=release.epoch_everyone or 0, scope=release.epoch_scope or 0)


def used(release: Release) -> Slots:
    """Everybody who is in the package."""
    return slots_of(Use.objects.filter(release=release).values_list("block", "bits"))


def closed(release: Release, slots: Slots, at: datetime) -> Slots:
    """Those of the slots who are in the package with something that is no longer open at `at`."""
    inside = held_of(release, slots)
    everybody = united(list(inside.values()))
    if not len(everybody):
        return everybody
    words = facts.gather_open(release, at, at, everybody if len(everybody) < MOST_NAMED else None)
    return united(list(lost(release, inside, words).values()))


def lost(release: Release, inside: Mapping[Held, Slots], words: ConsentSets) -> dict[Held, Slots]:
    """Of those who are inside, by what of them is: whose it is no longer open by these words."""
    everybody = united(list(inside.values()))
    groups, columns = grouped(facts.gather_whole(release, release.version).fields)
    people = _not_narrowed(release, open_people(words, groups), everybody)
    gone = {}
    for held, those in inside.items():
        needed = held.bits(groups, columns)
        still = people.slots[(people.groups & needed) == needed] if needed else those[:0]
        gone[held] = without(those, still)
    return gone


def held_of(release: Release, slots: Slots) -> dict[Held, Slots]:
    """Those of the slots who are in the package, by what of them is."""
    found: dict[Held, Slots] = {}
    blocks = {block_of(int(slot)) for slot in slots}
    for category, columns, block, bits in Use.objects.filter(
        release=release, block__in=blocks
    ).values_list("category_id", "columns", "block", "bits"):
        held = Held(category, tuple(columns))
        here = np.intersect1d(slots, slots_of([(block, bits)]))
        found[held] = np.union1d(found.get(held, here), here).astype(np.int32)
    return found


def _not_narrowed(release: Release, people: People, slots: Slots) -> People:
    """Without those whose newer yes covers fewer days of record than the one that was relied on.

    Whether any record of hers lies between the two is written nowhere outside the sealed rows.
    """
    older = latest.replaced(
        slots=slots.tolist(),
        recipient=release.recipient_id,
        purpose=release.purpose_id,
        since=release.answered_at or release.asked_at,
    )
    if not older:
        return people
    first = date(1970, 1, 1)
    fewer = [
        slot in older and day < (older[slot] - first).days
        for slot, day in zip(people.slots.tolist(), people.record_until.tolist(), strict=True)
    ]
    return people.where(~np.array(fewer, dtype=np.bool_))


MOST_NAMED = 5000  # above this many people all words are read at once


def ready(release: Release) -> bool:
    """Whether the release was prepared and not declared void since (no promise for later)."""
    return release.state == ReleaseState.PREPARED and release.voided_at is None
