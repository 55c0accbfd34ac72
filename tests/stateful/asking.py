"""One request about a few people, with everything that can stand against it, beside a decoy of each.

Every table holds a row of somebody else that would say yes: a statement that forgets to ask whose
row it is takes that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from common.planned import Planned
from consent.rules import BLOCK
from consent.vocabulary import Standing
from governance.models import AccessRequest
from governance.vocabulary import Care
from release.models import Release
from release.queries import facts, person
from release.rules.bits import chunks_of
from release.rules.decide import Facts, Plan, Refusal
from release.rules.person import Opening, decide_person
from release.vocabulary import Ground
from tests.factories import consent as said
from tests.factories import governance as made
from tests.factories import release as loaded
from tests.stateful.sayings import NOON, PEOPLE, Place, Said, hour, sayings

# What can differ from a request that is in order; each stands in `Asking.store`.
CHANGES = (
    "agreement elsewhere",
    "agreement over",
    "agreement received elsewhere",
    "agreement suspended",
    "another dataset covered",
    "another purpose covered",
    "category not covered",
    "column not held",
    "dataset paused",
    "field not asked",
    "key ended",
    "key of another",
    "member elsewhere",
    "member is somebody else",
    "member no longer",
    "member only as steward",
    "narrative",
    "nothing loaded",
    "papers for immigration",
    "purpose for reporting",
    "purpose paused",
    "request ended",
    "request over",
    "user inactive",
)


@dataclass(frozen=True)
class Asked:
    """What people said, what is not in order, whom the newest version and the one before name, and
    when the request and its agreement end, in hours after noon."""

    said: Said
    changes: frozenset[str]
    present: frozenset[int]
    before: frozenset[int]
    ends: tuple[int, int]


def askings(change: str | None = None) -> st.SearchStrategy[Asked]:
    """Mostly in order, so that what people said matters as often as what stands against it.

    With `change`, nothing but that is not in order.
    """
    anybody = st.frozensets(st.integers(0, PEOPLE - 1))
    none = st.just(frozenset[str]())
    return st.builds(
        Asked,
        said=sayings(covers=4, plain=True),
        changes=(
            st.just(frozenset({change}))
            if change
            else none | st.frozensets(st.sampled_from(CHANGES), max_size=2)
        ),
        present=st.just(frozenset(range(PEOPLE))) | anybody,
        before=anybody,
        ends=st.tuples(st.sampled_from([4, 40]), st.sampled_from([4, 50])),
    )


class Asking(Place):
    """Stores what was drawn, and asks about each person alone and about all at once."""

    # Alike in all but their block, so that a forgotten block shows.
    SLOTS = (BLOCK + 5, 2 * BLOCK + 5, BLOCK + 6, 3 * BLOCK + 5)

    def __init__(self) -> None:
        super().__init__()
        self.categories[1].care = Care.IMMIGRATION  # the one that papers stand in
        self.categories[1].save()
        self.people = [
            said.subject(holder=self.holders[at == PEOPLE - 1], slot=slot)
            for at, slot in enumerate(self.SLOTS)
        ]
        self.names = {0: ["help"], 1: ["help", "new_help"], 2: ["papers", "help"]}
        for at, names in self.names.items():
            for name in names:
                made.category_field(version=self.versions[at], name=name)
        # A newer version: a yes to it alone, and one to the older, both hold its field.
        self.versions.append(made.category_version(category=self.categories[1], number=2))
        made.category_field(version=self.versions[3], name="papers")
        self.covers.append([3])
        self.sets.append(said.category_set())
        said.category_set_item(set=self.sets[-1], version=self.versions[-1])
        self.asker, self.colleague = made.user(), made.user()

    def store(self, found: Asked) -> None:  # type: ignore[override]
        person._whole.cache_clear()  # a world that is rolled back leaves its numbers to the next one
        super().store(found.said)
        changes = found.changes
        holder, elsewhere = self.holders
        requester, stranger = self.recipients
        purpose, other_purpose = self.purposes
        purpose.kind = "reporting" if "purpose for reporting" in changes else "research"
        purpose.paused_at = NOON if "purpose paused" in changes else None
        purpose.save()
        requester.kind = "immigration" if "papers for immigration" in changes else "research"
        requester.save()
        self.asker.is_active = "user inactive" not in changes
        self.asker.save()

        other = self._dataset(elsewhere, held=True)
        loaded.dataset_version(dataset=other, number=9)
        dataset = self._dataset(holder, "paused" if "dataset paused" in changes else "active")
        self._members(requester, stranger, changes)
        self._keys(requester, stranger, changes)

        decoy = self._agreement(elsewhere, stranger)
        for each in (dataset, other):
            made.agreement_dataset(agreement=decoy, dataset=each)
        for each in self.purposes:
            made.agreement_purpose(agreement=decoy, purpose=each)
        for each in self.categories:
            made.agreement_category(agreement=decoy, category=each)
        ours = self._agreement(
            elsewhere if "agreement elsewhere" in changes else holder,
            stranger if "agreement received elsewhere" in changes else requester,
            state="suspended" if "agreement suspended" in changes else "in_force",
            ends=hour(3 if "agreement over" in changes else found.ends[1]),
        )
        covered = other if "another dataset covered" in changes else dataset
        made.agreement_dataset(agreement=ours, dataset=covered)
        covered = other_purpose if "another purpose covered" in changes else purpose
        made.agreement_purpose(agreement=ours, purpose=covered)
        for each in self.categories[: 1 if "category not covered" in changes else 2]:
            made.agreement_category(agreement=ours, category=each)

        asked = {"requester": requester, "dataset": dataset, "purpose": purpose, "agreement": ours}
        self._request(asked, ["help", "new_help", "papers"], ends=hour(60))
        wanted = (
            ["help", "papers"] if "field not asked" in changes else ["help", "new_help", "papers"]
        )
        self.request = self._request(
            asked,
            [*wanted, *(["story"] if "narrative" in changes else [])],
            ends=hour(3 if "request over" in changes else found.ends[0]),
            state="ended" if "request ended" in changes else "approved",
        )
        self._versions(found, dataset)
        self.release: Release = loaded.release(request=self.request, asked_by=self.asker)

    def _dataset(self, holder: Any, state: str = "active", *, held: bool = False) -> Any:
        dataset = made.dataset(holder=holder, state=state)
        first, second = self.categories
        columns = {"papers": second, "new_help": first, "help": first, "story": second}
        fields = {
            name: made.data_field(
                dataset=dataset,
                name=name,
                category=category,
                narrative=name == "story",
                position=len(columns) - at,  # the order of the columns is not that of their making
            )
            for at, (name, category) in enumerate(columns.items())
        }
        if not held:
            self.fields = fields
        return dataset

    def _members(self, requester: Any, stranger: Any, changes: frozenset[str]) -> None:
        made.membership(user=self.colleague, organisation=stranger, role="requester")
        if "member is somebody else" in changes:
            made.membership(user=self.colleague, organisation=requester, role="requester")
            return
        made.membership(
            user=self.asker,
            organisation=stranger if "member elsewhere" in changes else requester,
            role="steward" if "member only as steward" in changes else "requester",
            started_at=NOON,
            ended_at=hour(1) if "member no longer" in changes else None,
        )

    def _keys(self, requester: Any, stranger: Any, changes: frozenset[str]) -> None:
        made.recipient_key(
            organisation=stranger if "key of another" in changes else requester,
            registered_at=NOON,
            ended_at=hour(1) if "key ended" in changes else None,
        )

    def _agreement(self, holder: Any, recipient: Any, **given: Any) -> Any:
        period = {"starts": NOON - timedelta(days=1), "ends": hour(90), "state": "in_force"}
        return made.agreement(holder=holder, recipient=recipient, **{**period, **given})

    def _request(
        self, asked: Mapping[str, Any], names: list[str], state: str = "approved", **given: Any
    ) -> AccessRequest:
        request = made.access_request(
            **asked, starts=NOON - timedelta(days=1), state="draft", submitted_at=NOON, **given
        )
        for name in names:
            made.request_field(request=request, field=self.fields[name])
        AccessRequest.objects.filter(pk=request.pk).update(state=state)
        return request

    def _versions(self, found: Asked, dataset: Any) -> None:
        self.version = None
        if "nothing loaded" in found.changes:
            return
        lost = {"new_help"} if "column not held" in found.changes else set()
        for number, people, gone in ((1, found.before, set()), (2, found.present, lost)):
            self.version = loaded.dataset_version(dataset=dataset, number=number)
            for name in self.fields.keys() - gone:
                loaded.version_column(version=self.version, field=self.fields[name])
            slots = np.array([self.SLOTS[at] for at in sorted(people)], dtype=np.int32)
            for block, bits in chunks_of(slots):
                loaded.presence(version=self.version, block=block, bits=bits)

    def answers(
        self, found: Asked, statement: Planned = person.THE_STATEMENT, by: Any = None
    ) -> list[Opening | Refusal]:
        """The answer about each person, each from the one statement."""
        since, until = hour(self.SINCE), hour(found.said.until)
        asked = {"request": self.request, "by": by or self.asker, "since": since, "until": until}
        return [person.answer(**asked, slot=slot, statement=statement) for slot in self.SLOTS]

    def answers_for_holder(self, found: Asked) -> list[Opening | Refusal]:
        """The same where the holder asks, for whom it is enough that anybody may still ask."""
        since, until = hour(self.SINCE), hour(found.said.until)
        anew = person._whole.__wrapped__  # what is stored here is taken back
        return [
            decide_person(
                person._asking(self.request, slot, 0, person.FOR_HOLDER, anew).now(), since, until
            )
            for slot in self.SLOTS
        ]

    def of_all(self, found: Asked) -> Facts:
        """What a whole release would be decided on."""
        since, until = hour(self.SINCE), hour(found.said.until)
        return facts.gather_facts(self.release, self.version, since, until)

    def restricted(self, whole: Facts, person_at: int) -> Facts:
        """The same facts as if nobody else were there."""
        slot = np.array([self.SLOTS[person_at]], dtype=np.int32)
        words = facts.gather_words(self.release, whole.since, whole.until, slot)
        present = np.intersect1d(whole.present, slot).astype(np.int32)
        return Facts(whole.whole, words, present, whole.since, whole.until)

    def hers(self, decided: Plan | Refusal, person_at: int) -> Opening | Refusal:
        """What a decision about many says of one of them."""
        slot = self.SLOTS[person_at]
        if isinstance(decided, Refusal) and decided.grounds != (Ground.NOBODY,):
            return decided
        grounds = tuple(ground for ground, slots in decided.withheld.items() if slot in slots)
        if isinstance(decided, Refusal):
            return Refusal(grounds or (Ground.NOBODY,))
        place = np.flatnonzero(decided.people.slots == slot)
        if not len(place):
            return Refusal(grounds or (Ground.NOBODY,))
        people, (at,) = decided.people, place
        opened = [one for one in decided.columns if int(people.groups[at]) >> one.group & 1]
        return Opening(
            columns=tuple(one.name for one in opened),
            categories=frozenset(decided.groups[one.group].category for one in opened),
            record_until=date(1970, 1, 1) + timedelta(days=int(people.record_until[at])),
            good_until=decided.good_until,
        )

    def spoken(self, found: Asked, whole: Facts, person_at: int) -> tuple[str, ...]:
        """The columns that the rule about one person's word opens, from what was drawn alone."""
        said = self.rule(found.said, person_at)
        if said.standing is not Standing.IN_FORCE or person_at not in found.present:
            return ()
        return tuple(each.name for each in whole.whole.fields if each.versions & said.versions)
