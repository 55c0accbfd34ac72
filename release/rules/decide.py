"""The decision: may these rows and fields go from this holder to this recipient, now? Pure.

Source: architecture, "The decision, exactly", class 1 (dataset). `decide` gives either a Plan (whose
record leaves, with which columns) or a Refusal with every ground that stands. Arrays are columns:
one place a person. The truth table stands in tests/spec/decision.py and docs/reference/decision.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from consent.rules import ConsentSets, Slots
from consent.vocabulary import Standing
from governance.vocabulary import (
    AgreementState,
    Care,
    DatasetState,
    OrganisationKind,
    PurposeKind,
    RequestState,
)
from release.rules.slots import NOBODY, both, once, united, without
from release.vocabulary import Ground

MOST_GROUPS = 62  # a person's open groups are bits of one signed 64-bit number

# Every ground with the rule it serves (promises-and-law, R-rules).
RULES: Mapping[Ground, str] = {
    Ground.NO_REQUEST: "R25",
    Ground.REQUEST_PERIOD: "R5",
    Ground.NO_AGREEMENT: "R25",
    Ground.AGREEMENT_SUSPENDED: "R25",
    Ground.AGREEMENT_PERIOD: "R25",
    Ground.AGREEMENT_DATASET: "R25",
    Ground.AGREEMENT_PURPOSE: "R25",
    Ground.AGREEMENT_CATEGORY: "R25",
    Ground.DATASET_NOT_ACTIVE: "R29",
    Ground.PURPOSE_NOT_ACTIVE: "R29",
    Ground.REPORTING_ROWS: "R12",
    Ground.IMMIGRATION_FACTS: "R16",
    Ground.NO_KEY: "R32",
    Ground.NO_MEMBER: "R25",
    Ground.NO_VERSION: "R1",
    Ground.NARRATIVE: "R27",
    Ground.NOBODY: "R1",
    Ground.NO_CONSENT: "R1",
    Ground.PAUSED: "R5",
    Ground.NOT_STARTED: "R5",
    Ground.EXPIRED: "R5",
    Ground.WITHDRAWN: "R5",
    Ground.OBJECTED: "R20",
    Ground.OTHER_CATEGORIES: "R1",
    Ground.RECORD_PERIOD: "R6",
    Ground.ANOTHER_PERSON: "R1",
    Ground.CHANGED_WHILE_WRITTEN: "R5",
    Ground.ENGINE: "R32",
}


@dataclass(frozen=True)
class RequestFact:
    """The request as the board left it."""

    state: RequestState
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class AgreementFact:
    """The agreement between holder and recipient, and what it covers."""

    state: AgreementState
    starts: datetime
    ends: datetime
    covers_dataset: bool
    covers_purpose: bool
    categories: frozenset[int]


@dataclass(frozen=True)
class FieldFact:
    """One approved field: its category today with its care, and the versions that hold it."""

    name: str
    category: int
    versions: frozenset[int]
    narrative: bool
    care: Care


@dataclass(frozen=True)
class WholeFacts:
    """What a whole release hangs on, apart from people."""

    request: RequestFact
    agreement: AgreementFact | None
    dataset: DatasetState
    purpose_kind: PurposeKind
    purpose_active: bool
    recipient_kind: OrganisationKind
    has_key: bool
    has_member: bool
    has_version: bool
    fields: tuple[FieldFact, ...]


@dataclass(frozen=True)
class Facts:
    """Everything `decide` looks at: the whole, people's words, and who is in the dataset."""

    whole: WholeFacts
    words: ConsentSets
    present: Slots
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Group:
    """Columns that open and close together: one category in the versions that hold them."""

    category: int
    versions: frozenset[int]


@dataclass(frozen=True)
class Column:
    """One approved column and the group it belongs to."""

    name: str
    group: int


@dataclass(frozen=True)
class People:
    """Whose records may leave: sorted slots, open groups as bits, last day of record (since 1970)."""

    slots: Slots
    groups: NDArray[np.int64]
    record_until: NDArray[np.int32]

    def without(self, gone: Slots) -> "People":
        return self.where(~np.isin(self.slots, gone))

    def among(self, slots: Slots) -> "People":
        """Only these people, where they are here: a look-up for each, not a pass over all."""
        wanted = once(slots)
        if not len(wanted):
            return self.where(np.zeros(len(self.slots), dtype=np.bool_))
        start = int(np.searchsorted(self.slots, wanted[0]))
        stop = int(np.searchsorted(self.slots, wanted[-1], side="right"))
        near = self.slots[start:stop]  # people of one part are neighbours: a short stretch
        places = np.searchsorted(near, wanted)
        places = places[places < len(near)]
        places = start + places[near[places] == wanted[: len(places)]]
        return People(self.slots[places], self.groups[places], self.record_until[places])

    def where(self, kept: NDArray[np.bool_]) -> "People":
        return People(self.slots[kept], self.groups[kept], self.record_until[kept])


@dataclass(frozen=True)
class Plan:
    """A yes: which columns, whose records, and why the others' are kept back."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    people: People
    withheld: Mapping[Ground, Slots]
    good_until: datetime


@dataclass(frozen=True)
class Refusal:
    """A no to the whole asking, with every ground that stands.

    `withheld` says of each person why her record alone would have stayed, where that was asked.
    """

    grounds: tuple[Ground, ...]
    withheld: Mapping[Ground, Slots] = field(default_factory=dict, compare=False)


def whole_grounds(facts: WholeFacts, since: datetime, until: datetime) -> tuple[Ground, ...]:
    """Every ground that stands against the whole release for any instant of [since, until]."""
    request, agreement = facts.request, facts.agreement
    stands: list[tuple[bool, Ground]] = [
        (request.state != RequestState.APPROVED, Ground.NO_REQUEST),
        (not _lasts(request.starts, request.ends, since, until), Ground.REQUEST_PERIOD),
        (facts.dataset != DatasetState.ACTIVE, Ground.DATASET_NOT_ACTIVE),
        (not facts.purpose_active, Ground.PURPOSE_NOT_ACTIVE),
        (
            facts.purpose_kind in {PurposeKind.REPORTING, PurposeKind.STATISTICS},
            Ground.REPORTING_ROWS,
        ),
        (
            facts.recipient_kind == OrganisationKind.IMMIGRATION
            and any(field.care == Care.IMMIGRATION for field in facts.fields),
            Ground.IMMIGRATION_FACTS,
        ),
        (not facts.has_key, Ground.NO_KEY),
        (not facts.has_member, Ground.NO_MEMBER),
        (not facts.has_version, Ground.NO_VERSION),
        (not facts.fields or any(field.narrative for field in facts.fields), Ground.NARRATIVE),
    ]
    found = [ground for there, ground in stands if there]
    if agreement is None:
        return (*found, Ground.NO_AGREEMENT)
    wanted = {field.category for field in facts.fields}
    against: list[tuple[bool, Ground]] = [
        (
            agreement.state in {AgreementState.DRAFT, AgreementState.ENDED},
            Ground.NO_AGREEMENT,
        ),
        (agreement.state == AgreementState.SUSPENDED, Ground.AGREEMENT_SUSPENDED),
        (not _lasts(agreement.starts, agreement.ends, since, until), Ground.AGREEMENT_PERIOD),
        (not agreement.covers_dataset, Ground.AGREEMENT_DATASET),
        (not agreement.covers_purpose, Ground.AGREEMENT_PURPOSE),
        (not wanted <= agreement.categories, Ground.AGREEMENT_CATEGORY),
    ]
    return (*found, *(ground for there, ground in against if there))


def _lasts(starts: datetime, ends: datetime, since: datetime, until: datetime) -> bool:
    """In force at every instant of [since, until]; end − 1 s permits, end denies (R5)."""
    return starts <= since < ends and until <= ends


def decide(facts: Facts) -> Plan | Refusal:
    """The answer to one asking of class *dataset*."""
    against = whole_grounds(facts.whole, facts.since, facts.until)
    if against:
        return Refusal(against)
    groups, columns = grouped(facts.whole.fields)
    people = open_people(facts.words, groups)
    here = people.where(np.isin(people.slots, facts.present) & (people.groups != 0))
    withheld = kept_back(facts, people, here)
    if not len(here.slots):  # no empty package: a refusal that knows each one's own ground
        return Refusal((Ground.NOBODY,), withheld)
    ends = [facts.whole.request.ends]
    if facts.whole.agreement is not None:
        ends.append(facts.whole.agreement.ends)
    if facts.words.earliest_end is not None:
        ends.append(facts.words.earliest_end)
    return Plan(
        columns=columns,
        groups=groups,
        people=here,
        withheld=withheld,
        good_until=min(ends),
    )


def revised(plan: Plan, words: ConsentSets, gone: Slots) -> Plan:
    """The plan after people in it said no: `words` are the words of the `gone` as they now stand.

    Who still has an open group stays with it; who came anew does not come in.
    """
    inside = both(once(gone), plan.people.slots)
    again = open_people(words, plan.groups)
    again = again.where(np.isin(again.slots, inside) & (again.groups != 0))
    rest = plan.people.without(inside)
    order = np.argsort(np.concatenate([rest.slots, again.slots]), kind="stable")
    people = People(
        np.concatenate([rest.slots, again.slots])[order],
        np.concatenate([rest.groups, again.groups])[order],
        np.concatenate([rest.record_until, again.record_until])[order],
    )
    withheld = dict(plan.withheld)
    left = without(inside, again.slots)
    reasons = [(Ground.OBJECTED, words.objected)] + [
        (STANDING_GROUNDS[standing], slots) for standing, slots in words.others.items()
    ]
    for ground, slots in [*reasons, (Ground.OTHER_CATEGORIES, left)]:
        those = both(left, slots)
        if len(those):
            withheld[ground] = united([withheld.get(ground, NOBODY), those])
        left = without(left, those)
    # Her newer yes may end sooner than the one the plan relied on.
    ends = [plan.good_until]
    if words.earliest_end is not None:
        ends.append(words.earliest_end)
    return Plan(plan.columns, plan.groups, people, withheld, min(ends))


def grouped(fields: Sequence[FieldFact]) -> tuple[tuple[Group, ...], tuple[Column, ...]]:
    """The columns in their order, and the groups they open and close with."""
    groups: dict[Group, int] = {}
    columns = []
    for each in fields:
        group = Group(each.category, each.versions)
        columns.append(Column(each.name, groups.setdefault(group, len(groups))))
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"At most {MOST_GROUPS} groups of columns fit in one release.")
    return tuple(groups), tuple(columns)


def open_people(words: ConsentSets, groups: Sequence[Group]) -> People:
    """Everybody with a yes in force and no objection to the whole, with the groups that are open."""
    if not words.yeses:
        empty = np.empty(0, dtype=np.int32)
        return People(empty, np.empty(0, dtype=np.int64), empty)
    slots = np.concatenate([yes.slots for yes in words.yeses])
    until = np.concatenate([yes.record_until for yes in words.yeses])
    bits = np.concatenate(
        [
            np.full(len(yes.slots), _bits(yes.versions, groups), dtype=np.int64)
            for yes in words.yeses
        ]
    )
    order = np.argsort(slots, kind="stable")
    people = People(slots[order], bits[order], until[order])
    people = people.without(words.objected)
    closed = people.groups
    for category, objecting in words.objected_categories.items():
        mask = sum(1 << at for at, group in enumerate(groups) if group.category == category)
        against = np.isin(people.slots, objecting)
        closed = np.where(against, closed & ~np.int64(mask), closed)
    return People(people.slots, closed, people.record_until)


def opens(columns: Group | FieldFact, versions: frozenset[int]) -> bool:
    """Whether a yes to these category versions opens these columns."""
    return not columns.versions.isdisjoint(versions)


def _bits(versions: frozenset[int], groups: Sequence[Group]) -> int:
    return sum(1 << at for at, group in enumerate(groups) if opens(group, versions))


STANDING_GROUNDS: Mapping[Standing, Ground] = {
    Standing.OBJECTED: Ground.OBJECTED,
    Standing.PAUSED: Ground.PAUSED,
    Standing.NOT_STARTED: Ground.NOT_STARTED,
    Standing.EXPIRED: Ground.EXPIRED,
    Standing.WITHDRAWN: Ground.WITHDRAWN,
    Standing.NO_CONSENT: Ground.NO_CONSENT,
}


def kept_back(facts: Facts, people: People, here: People) -> dict[Ground, Slots]:
    """Why each person in the dataset whose record does not leave is kept back: one ground each."""
    left = without(facts.present, here.slots)
    found: dict[Ground, Slots] = {}
    in_force = np.concatenate([NOBODY, *(yes.slots for yes in facts.words.yeses)])
    reasons: list[tuple[Ground, Slots]] = [
        (Ground.OBJECTED, both(facts.words.objected, in_force)),
        (Ground.OTHER_CATEGORIES, people.slots[people.groups == 0]),
    ]
    reasons += [
        (STANDING_GROUNDS[standing], facts.words.others[standing])
        for standing in Standing
        if standing in facts.words.others
    ]
    reasons.append((Ground.NO_CONSENT, left))
    for ground, slots in reasons:
        those = both(left, slots)
        if len(those):
            found[ground] = united([found.get(ground, NOBODY), those])
        left = without(left, those)
    return found
