"""What a few people said, in generated worlds; stored, and told by the rules alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from consent.models import Consent, Objection
from consent.queries.sets import CLAUSES, Clauses, consent_sets
from consent.rules import (
    Ask,
    AuthorityFact,
    ConsentFact,
    ConsentSets,
    ObjectionFact,
    Word,
    standing,
    word,
)
from consent.vocabulary import Ending, Standing
from governance.vocabulary import OrganisationKind
from release.rules.decide import Group, open_people
from tests.factories import audit as logged
from tests.factories import consent as said
from tests.factories import governance as made
from tests.factories import speaking

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = date(2026, 2, 1)
PEOPLE = 4  # the last one is another holder's


def hour(count: int) -> datetime:
    return NOON + timedelta(hours=count)


@dataclass(frozen=True)
class Yes:
    """One consent of one person, in small numbers: places in `Ground`'s lists, hours after noon."""

    person: int
    recipient: int
    purpose: int
    covers: int
    starts: int
    lasts: int
    days: int
    paused: bool
    paused_until: int | None
    ending: Ending | None
    by: "By | None" = None


@dataclass(frozen=True)
class By:
    """By whom it was given, where not by her: until when, whether ended by hand; none is not known."""

    ends: int | None
    ended: bool


PLAIN = Yes(0, 0, 0, 0, starts=0, lasts=9, days=0, paused=False, paused_until=None, ending=None)


@dataclass(frozen=True)
class NoOf:
    """One objection of one person; a place that is None matches anything."""

    person: int
    recipient: int | None
    kind: OrganisationKind | None
    purpose: int | None
    category: int | None
    lifted: bool


@dataclass(frozen=True)
class Said:
    """What four people said, and from when until when it is asked about."""

    yeses: tuple[Yes, ...]
    noes: tuple[NoOf, ...]
    until: int
    disputes: tuple[tuple[int, bool], ...] = ()  # whose, and whether it is settled


@st.composite
def sayings(draw: st.DrawFn, covers: int = 3, plain: bool = False) -> Said:
    """Mostly plain yeses to what is asked about, so that few examples meet every corner.

    `covers`: how many sets of category versions there are to choose from. `plain`: most people have
    a yes in force, whatever else they said.
    """
    place = st.sampled_from([0, 0, 0, 1])
    any_or = st.sampled_from([None, 0, 1])
    yes = st.builds(
        Yes,
        person=st.integers(0, PEOPLE - 1),
        recipient=place,
        purpose=place,
        covers=st.integers(0, covers - 1),
        starts=st.sampled_from([0, 1, 1, 2, 3]),
        lasts=st.integers(1, 4),
        days=st.integers(0, 2),
        paused=st.sampled_from([False, False, True]),
        paused_until=st.sampled_from([None, 1, 2, 3]),
        ending=st.sampled_from([None, None, None, *Ending]),
        by=st.sampled_from(
            [
                *(None, None, By(9, ended=False), By(9, ended=True)),
                *(By(3, ended=False), By(3, ended=False), By(2, ended=False)),
                By(None, ended=False),
            ]
        ),
    )
    no = st.builds(
        NoOf,
        person=st.integers(0, PEOPLE - 1),
        recipient=any_or,
        kind=st.sampled_from([None, None, OrganisationKind.RESEARCH, OrganisationKind.POLICE]),
        purpose=any_or,
        category=any_or,
        lifted=st.sampled_from([False, False, True]),
    )
    yeses = draw(st.lists(yes, min_size=3, max_size=8))
    if plain:
        sets = draw(st.lists(st.integers(-1, covers - 1), min_size=PEOPLE, max_size=PEOPLE))
        running = [replace(PLAIN, person=at, covers=own) for at, own in enumerate(sets) if own >= 0]
        yeses = running + yeses
    one_in_force: dict[tuple[int, int, int], Yes] = {}
    kept = []
    for each in yeses:
        key = (each.person, each.recipient, each.purpose)
        if each.ending is not None or one_in_force.setdefault(key, each) is each:
            kept.append(each)
    noes = draw(st.lists(no, min_size=1, max_size=4))
    quarrel = st.tuples(st.integers(0, PEOPLE - 1), st.booleans())
    disputes = draw(st.lists(quarrel, max_size=2, unique_by=lambda each: each[0]))
    return Said(tuple(kept), tuple(noes), draw(st.integers(2, 4)), tuple(disputes))


class Place:
    """Two holders, two recipients, two purposes, two categories, four people."""

    SINCE = 2

    def __init__(self) -> None:
        self.holders = [made.organisation(), made.organisation()]
        self.recipients = [made.organisation(kind="research"), made.organisation(kind="police")]
        self.purposes = [made.purpose(), made.purpose()]
        self.categories = [made.category(), made.category()]
        first, second = self.categories
        self.versions = [
            made.category_version(category=first, number=1),
            made.category_version(category=first, number=2),
            made.category_version(category=second, number=1),
        ]
        self.covers = [[0], [0, 2], [1, 2]]
        self.sets = [said.category_set() for _ in self.covers]
        for each, versions in zip(self.sets, self.covers, strict=True):
            for version in versions:
                said.category_set_item(set=each, version=self.versions[version])
        self.people = [
            said.subject(holder=self.holders[person == PEOPLE - 1]) for person in range(PEOPLE)
        ]
        self.terms = said.terms()
        self.by = made.user()
        self.entry = logged.entry()
        self.ask = Ask(self.recipients[0].pk, "research", self.purposes[0].pk)
        one, two, three = (version.pk for version in self.versions)
        self.groups = [
            Group(first.pk, frozenset({one, two})),
            Group(first.pk, frozenset({two})),
            Group(self.categories[1].pk, frozenset({three})),
        ]

    def store(self, sayings: Said) -> None:
        stored = Consent.objects.bulk_create([self._consent(each) for each in sayings.yeses])
        for number, (yes, consent) in enumerate(zip(sayings.yeses, stored, strict=True)):
            if yes.by is not None and yes.by.ends is not None:
                self._spoken(yes.by, yes.by.ends, consent, number)
        for person, settled in sayings.disputes:
            speaking.dispute(
                subject=self.people[person],
                entry=self.entry,
                reported_by=self.by,
                resolved_at=hour(1) if settled else None,
                resolved_by=self.by if settled else None,
            )
        Objection.objects.bulk_create(
            Objection(
                subject=self.people[no.person],
                recipient=None if no.recipient is None else self.recipients[no.recipient],
                recipient_kind=no.kind or "",
                purpose=None if no.purpose is None else self.purposes[no.purpose],
                category=None if no.category is None else self.categories[no.category],
                made_at=NOON,
                made_by=self.by,
                lifted_at=hour(1) if no.lifted else None,
            )
            for no in sayings.noes
        )

    def _spoken(self, by: By, ends: int, consent: Consent, number: int) -> None:
        representative = speaking.representative(
            subject=consent.subject,
            who=f"{number:064x}",
            entry=self.entry,
            recorded_by=self.by,
            starts=hour(0),
            ends=hour(ends),
            ended_at=hour(1) if by.ended else None,
            ended_by=self.by if by.ended else None,
        )
        speaking.spoken(consent=consent, representative=representative)

    def _consent(self, yes: Yes) -> Consent:
        person = self.people[yes.person]
        fact = self.fact(yes)
        return Consent(
            subject=person,
            holder=person.holder,
            recipient=self.recipients[yes.recipient],
            purpose=self.purposes[yes.purpose],
            category_set=self.sets[yes.covers],
            terms=self.terms,
            channel="paper",
            signer="self" if yes.by is None else "guardian",
            authority="" if yes.by is None else "rep-2222222222222",
            signature="binder 3",
            answers="yyyyyyy",
            signed_at=NOON,
            recorded_at=NOON,
            recorded_by=self.by,
            starts=fact.starts,
            ends=fact.ends,
            record_until=fact.record_until,
            paused_at=fact.paused_at,
            paused_until=fact.paused_until,
            ended_at=fact.ended_at,
            ending=fact.ending,
        )

    def fact(self, yes: Yes, disputed: bool = False) -> ConsentFact:
        return ConsentFact(
            starts=hour(yes.starts),
            ends=hour(yes.starts + yes.lasts),
            record_until=DAY + timedelta(days=yes.days),
            versions=frozenset(self.versions[at].pk for at in self.covers[yes.covers]),
            paused_at=NOON if yes.paused else None,
            paused_until=(
                hour(yes.paused_until) if yes.paused and yes.paused_until is not None else None
            ),
            ended_at=None if yes.ending is None else hour(1),
            ending=yes.ending,
            authority=(
                None
                if yes.by is None
                else AuthorityFact(
                    ends=None if yes.by.ends is None else hour(yes.by.ends),
                    ended_at=hour(1) if yes.by.ended and yes.by.ends is not None else None,
                    disputed=disputed,
                )
            ),
        )

    def consents(self, sayings: Said, person: int) -> list[ConsentFact]:
        """All of one person's yeses to what is asked about."""
        if self.people[person].holder_id != self.holders[0].pk:
            return []
        return [
            self.fact(yes, disputed=(person, False) in sayings.disputes)
            for yes in sayings.yeses
            if (yes.person, yes.recipient, yes.purpose) == (person, 0, 0)
        ]

    def rule(self, sayings: Said, person: int) -> Word:
        """One person's word to the first holder, by the rule alone."""
        known = self.people[person].holder_id == self.holders[0].pk
        return word(
            consents=self.consents(sayings, person),
            objections=[
                self._objection(no)
                for no in sayings.noes
                if known and no.person == person and not no.lifted
            ],
            ask=self.ask,
            categories={version.pk: version.category_id for version in self.versions},
            since=hour(self.SINCE),
            until=hour(sayings.until),
        )

    def _objection(self, no: NoOf) -> ObjectionFact:
        return ObjectionFact(
            recipient=None if no.recipient is None else self.recipients[no.recipient].pk,
            recipient_kind=no.kind,
            purpose=None if no.purpose is None else self.purposes[no.purpose].pk,
            category=None if no.category is None else self.categories[no.category].pk,
        )

    def others(self, sayings: Said, person: int) -> set[Standing]:
        """How each of one person's yeses that are not in force stands, by the rule alone."""
        since, until = hour(self.SINCE), hour(sayings.until)
        found = {standing(each, since, until) for each in self.consents(sayings, person)}
        return found - {Standing.IN_FORCE}

    def sets_of(
        self, sayings: Said, clauses: Clauses = CLAUSES, slots: list[int] | None = None
    ) -> ConsentSets:
        return consent_sets(**self.asked(sayings), clauses=clauses, slots=slots)

    def asked(self, sayings: Said) -> dict[str, Any]:
        return {
            "holder": self.holders[0].pk,
            "ask": self.ask,
            "since": hour(self.SINCE),
            "until": hour(sayings.until),
        }

    def word_in(self, sets: ConsentSets, person: int) -> Word:
        """One person's word as the columns tell it; also nobody has two yeses in force."""
        slot = self.people[person].pk
        closed = {c for c, slots in sets.objected_categories.items() if slot in slots}
        yeses = [
            (yes.versions, int(day))
            for yes in sets.yeses
            for each, day in zip(yes.slots, yes.record_until, strict=True)
            if each == slot
        ]
        if not yeses:
            standings = [each for each, slots in sets.others.items() if slot in slots]
            first = min(standings, key=list(Standing).index, default=Standing.NO_CONSENT)
            return Word(first, frozenset(), None)
        ((versions, day),) = yeses
        category = {version.pk: version.category_id for version in self.versions}
        versions = frozenset(each for each in versions if category[each] not in closed)
        if slot in sets.objected or not versions:
            return Word(Standing.OBJECTED, frozenset(), None)
        return Word(Standing.IN_FORCE, versions, date(1970, 1, 1) + timedelta(days=day))

    def strangers(self, sets: ConsentSets, asked: list[int]) -> bool:
        """Whether anybody not asked about, or of another holder, is anywhere in the columns."""
        columns: list[Any] = [sets.objected, *sets.others.values()]
        columns += [*sets.objected_categories.values(), *(yes.slots for yes in sets.yeses)]
        ours = {self.people[person].pk for person in asked if person != PEOPLE - 1}
        return not ours.issuperset(np.concatenate(columns).tolist())

    def differs(self, sayings: Said, only: Iterable[int] | None = None) -> bool:
        """Whether the SQL tells of anybody what the rule does not."""
        return bool(self.differing(sayings, {"": CLAUSES}, only))

    def differing(
        self, sayings: Said, each: Mapping[str, Clauses], only: Iterable[int] | None = None
    ) -> set[str]:
        """Which of these clauses tell of anybody what the rule does not."""
        asked = list(range(PEOPLE)) if only is None else list(only)
        with transaction.atomic():
            self.store(sayings)
            slots = None if only is None else [self.people[person].pk for person in asked]
            sets = {name: self.sets_of(sayings, sql, slots) for name, sql in each.items()}
            transaction.set_rollback(True)
        return {name for name, found in sets.items() if self.wrong(sayings, found, asked)}

    def wrong(self, sayings: Said, sets: ConsentSets, asked: list[int]) -> bool:
        """Whether these sets say of anybody asked about what the rule does not."""
        try:
            found = {person: self.word_in(sets, person) for person in asked}
        except ValueError:  # two yeses in force at once
            return True
        opened = open_people(sets, self.groups)
        bits = dict(zip(opened.slots.tolist(), opened.groups.tolist(), strict=True))
        for person in asked:
            expected = self.rule(sayings, person)
            shared = [group.versions & expected.versions for group in self.groups]
            mine = sum(1 << at for at, each in enumerate(shared) if each)
            slot = self.people[person].pk
            others = {each for each, theirs in sets.others.items() if slot in theirs}
            if found[person] != expected or bits.get(slot, 0) != mine:
                return True
            if others != self.others(sayings, person):
                return True
        return self.strangers(sets, asked)


def holding(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
