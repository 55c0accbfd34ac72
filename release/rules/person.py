"""The decision about one person: the same rules, asked for her alone. Pure.

`decide` passes over columns of people; here the meaning of one person's word stands as
`consent.rules.word` says it. A property test holds the two equal, person by person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from consent.rules import Ask, ConsentFact, ObjectionFact, objects_to_all, standing, word
from consent.vocabulary import Standing
from release.rules.decide import STANDING_GROUNDS, Refusal, WholeFacts, opens, whole_grounds
from release.vocabulary import Ground


@dataclass(frozen=True)
class PersonFacts:
    """Everything the decision about one person looks at.

    `consents`: all of hers to this holder, recipient and purpose. `categories`: the category of
    each category version in them. `present`: whether the newest loaded version names her.
    """

    whole: WholeFacts
    ask: Ask
    consents: tuple[ConsentFact, ...]
    objections: tuple[ObjectionFact, ...]
    categories: Mapping[int, int]
    present: bool


@dataclass(frozen=True)
class Opening:
    """A yes for one person: the columns in their order, the last day of record, until when.

    Of her rows, one that was recorded later, or that names others who did not say yes, stays.
    """

    columns: tuple[str, ...]
    categories: frozenset[int]
    record_until: date
    good_until: datetime


def decide_person(facts: PersonFacts, since: datetime, until: datetime) -> Opening | Refusal:
    """What a release would send of one person's record at any instant of [since, until].

    A refusal names every ground that stands against the whole, or else her own.
    """
    whole = facts.whole
    against = whole_grounds(whole, since, until)
    if against:
        return Refusal(against)
    if not facts.present:
        return Refusal((Ground.NOBODY,))
    said = word(
        consents=facts.consents,
        objections=facts.objections,
        ask=facts.ask,
        categories=facts.categories,
        since=since,
        until=until,
    )
    opened = [field for field in whole.fields if opens(field, said.versions)]
    if not opened or said.record_until is None:
        return Refusal((_ground(facts, said.standing),))
    ends = [whole.request.ends]
    if whole.agreement is not None:
        ends.append(whole.agreement.ends)
    ends += [
        each.lasts_until
        for each in facts.consents
        if standing(each, since, until) is Standing.IN_FORCE
    ]
    return Opening(
        columns=tuple([field.name for field in opened]),
        categories=frozenset([field.category for field in opened]),
        record_until=said.record_until,
        good_until=min(ends),
    )


def _ground(facts: PersonFacts, stands: Standing) -> Ground:
    """Her own ground. An objection that leaves no category is a yes to other categories."""
    if stands is Standing.IN_FORCE:
        return Ground.OTHER_CATEGORIES
    if stands is Standing.OBJECTED and not objects_to_all(facts.objections, facts.ask):
        return Ground.OTHER_CATEGORIES
    return STANDING_GROUNDS[stands]
