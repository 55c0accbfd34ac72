"""The decision's truth table: the page docs/reference/decision.md is drawn from it.

Each row changes one thing in a world where everything is in order and says what must come out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from consent.rules import Ask, ConsentFact, ConsentSets, ObjectionFact, Yeses
from consent.vocabulary import Ending, Standing
from governance.vocabulary import (
    AgreementState,
    Care,
    DatasetState,
    OrganisationKind,
    PurposeKind,
    RequestState,
)
from release.rules.decide import (
    RULES,
    AgreementFact,
    Facts,
    FieldFact,
    RequestFact,
    WholeFacts,
)
from release.rules.person import PersonFacts
from release.vocabulary import Ground

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=1)
LONG_AGO, LATER = NOW - timedelta(days=30), NOW + timedelta(days=30)
SECOND = timedelta(seconds=1)
HELP, STATUS = 1, 2  # two categories
HELP_1, HELP_2, STATUS_1 = 11, 12, 21  # their versions
PLAIN: Mapping[str, Any] = {"narrative": False, "care": Care.ORDINARY}
ANNA, BEA, CLEO, DORA = 101, 102, 103, 104  # four slots


@dataclass(frozen=True)
class Whole:
    """One change to the whole, and the grounds that must stand."""

    says: str
    change: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    agreement: Mapping[str, Any] | None = field(default_factory=dict)
    grounds: tuple[Ground, ...] = ()


WHOLE: tuple[Whole, ...] = (
    Whole("everything is in order"),
    *(
        Whole(
            f"the request is {state.label}", request={"state": state}, grounds=(Ground.NO_REQUEST,)
        )
        for state in RequestState
        if state is not RequestState.APPROVED
    ),
    Whole(
        "the request's period begins a second from now",
        request={"starts": NOW + SECOND},
        grounds=(Ground.REQUEST_PERIOD,),
    ),
    Whole("the request's period begins now", request={"starts": NOW}),
    Whole("the request's period ends now", request={"ends": NOW}, grounds=(Ground.REQUEST_PERIOD,)),
    Whole(
        "the request's period ends before the writing can be done",
        request={"ends": UNTIL - SECOND},
        grounds=(Ground.REQUEST_PERIOD,),
    ),
    Whole("the request's period ends when the writing must be done", request={"ends": UNTIL}),
    Whole("there is no agreement between the two", agreement=None, grounds=(Ground.NO_AGREEMENT,)),
    Whole(
        "the agreement is a draft",
        agreement={"state": AgreementState.DRAFT},
        grounds=(Ground.NO_AGREEMENT,),
    ),
    Whole(
        "the agreement has ended",
        agreement={"state": AgreementState.ENDED},
        grounds=(Ground.NO_AGREEMENT,),
    ),
    Whole(
        "the agreement is suspended",
        agreement={"state": AgreementState.SUSPENDED},
        grounds=(Ground.AGREEMENT_SUSPENDED,),
    ),
    Whole(
        "the agreement begins a second from now",
        agreement={"starts": NOW + SECOND},
        grounds=(Ground.AGREEMENT_PERIOD,),
    ),
    Whole("the agreement ends now", agreement={"ends": NOW}, grounds=(Ground.AGREEMENT_PERIOD,)),
    Whole(
        "the agreement does not name the dataset",
        agreement={"covers_dataset": False},
        grounds=(Ground.AGREEMENT_DATASET,),
    ),
    Whole(
        "the agreement does not name the purpose",
        agreement={"covers_purpose": False},
        grounds=(Ground.AGREEMENT_PURPOSE,),
    ),
    Whole(
        "the agreement leaves out a category that was asked for",
        agreement={"categories": frozenset({HELP})},
        grounds=(Ground.AGREEMENT_CATEGORY,),
    ),
    *(
        Whole(
            f"the dataset is {state.label}",
            change={"dataset": state},
            grounds=(Ground.DATASET_NOT_ACTIVE,),
        )
        for state in DatasetState
        if state is not DatasetState.ACTIVE
    ),
    Whole(
        "the purpose is paused",
        change={"purpose_active": False},
        grounds=(Ground.PURPOSE_NOT_ACTIVE,),
    ),
    *(
        Whole(
            f"the purpose is of the kind {kind.label}",
            change={"purpose_kind": kind},
            grounds=(
                (Ground.REPORTING_ROWS,)
                if kind in {PurposeKind.REPORTING, PurposeKind.STATISTICS}
                else ()
            ),
        )
        for kind in PurposeKind
    ),
    *(
        Whole(
            f"the recipient is of the kind {kind.label}, and papers were asked for",
            change={"recipient_kind": kind},
            grounds=((Ground.IMMIGRATION_FACTS,) if kind is OrganisationKind.IMMIGRATION else ()),
        )
        for kind in OrganisationKind
    ),
    *(
        Whole(
            f"the recipient is of the kind immigration, and of the care {care.value} was asked for",
            change={
                "recipient_kind": OrganisationKind.IMMIGRATION,
                "fields": (
                    FieldFact("one", HELP, frozenset({HELP_1}), narrative=False, care=care),
                ),
            },
            grounds=((Ground.IMMIGRATION_FACTS,) if care is Care.IMMIGRATION else ()),
        )
        for care in Care
    ),
    Whole("the recipient has no key", change={"has_key": False}, grounds=(Ground.NO_KEY,)),
    Whole(
        "who asked is no longer of the recipient",
        change={"has_member": False},
        grounds=(Ground.NO_MEMBER,),
    ),
    Whole("nothing was loaded", change={"has_version": False}, grounds=(Ground.NO_VERSION,)),
    Whole(
        "a field tells a story in free text",
        change={
            "fields": (
                FieldFact("story", HELP, frozenset({HELP_1}), narrative=True, care=Care.ORDINARY),
            )
        },
        grounds=(Ground.NARRATIVE,),
    ),
    Whole("no approved field is held", change={"fields": ()}, grounds=(Ground.NARRATIVE,)),
    Whole(
        "two things stand against it at once",
        change={"has_key": False},
        agreement={"state": AgreementState.SUSPENDED},
        grounds=(Ground.NO_KEY, Ground.AGREEMENT_SUSPENDED),
    ),
)


def whole(row: Whole) -> WholeFacts:
    """The facts of one row of the table."""
    agreement = None
    if row.agreement is not None:
        agreement = AgreementFact(
            **{
                "state": AgreementState.IN_FORCE,
                "starts": LONG_AGO,
                "ends": LATER,
                "covers_dataset": True,
                "covers_purpose": True,
                "categories": frozenset({HELP, STATUS}),
                **row.agreement,
            }
        )
    request = RequestFact(
        **{"state": RequestState.APPROVED, "starts": LONG_AGO, "ends": LATER, **row.request}
    )
    given = {
        "request": request,
        "agreement": agreement,
        "dataset": DatasetState.ACTIVE,
        "purpose_kind": PurposeKind.RESEARCH,
        "purpose_active": True,
        "recipient_kind": OrganisationKind.RESEARCH,
        "has_key": True,
        "has_member": True,
        "has_version": True,
        "fields": (
            FieldFact("kind_of_help", HELP, frozenset({HELP_1, HELP_2}), **PLAIN),
            FieldFact("new_help", HELP, frozenset({HELP_2}), **PLAIN),
            FieldFact(
                "papers", STATUS, frozenset({STATUS_1}), narrative=False, care=Care.IMMIGRATION
            ),
        ),
        **row.change,
    }
    return WholeFacts(**given)


@dataclass(frozen=True)
class Person:
    """What one person said, and which columns of hers leave, or why none."""

    says: str
    yes: frozenset[int] | None = None
    standing: Standing | None = None
    objects: bool = False
    objects_to: frozenset[int] = frozenset()
    present: bool = True
    columns: tuple[str, ...] = ()
    ground: Ground | None = None


PEOPLE: tuple[Person, ...] = (
    Person("said nothing", ground=Ground.NO_CONSENT),
    Person(
        "said yes to help as it was then",
        yes=frozenset({HELP_1}),
        columns=("kind_of_help",),
    ),
    Person(
        "said yes to help after a field was added",
        yes=frozenset({HELP_2}),
        columns=("kind_of_help", "new_help"),
    ),
    Person(
        "said yes to both categories",
        yes=frozenset({HELP_1, STATUS_1}),
        columns=("kind_of_help", "papers"),
    ),
    Person(
        "said yes to something else only",
        yes=frozenset({99}),
        ground=Ground.OTHER_CATEGORIES,
    ),
    Person(
        "said yes and objects to it all",
        yes=frozenset({HELP_1}),
        objects=True,
        ground=Ground.OBJECTED,
    ),
    Person(
        "said yes to both and objects to one category",
        yes=frozenset({HELP_1, STATUS_1}),
        objects_to=frozenset({STATUS}),
        columns=("kind_of_help",),
    ),
    Person(
        "said yes to one category and objects to it",
        yes=frozenset({STATUS_1}),
        objects_to=frozenset({STATUS}),
        ground=Ground.OTHER_CATEGORIES,
    ),
    Person("paused", standing=Standing.PAUSED, ground=Ground.PAUSED),
    Person("said yes from a later day", standing=Standing.NOT_STARTED, ground=Ground.NOT_STARTED),
    Person("her yes has run out", standing=Standing.EXPIRED, ground=Ground.EXPIRED),
    Person("stopped", standing=Standing.WITHDRAWN, ground=Ground.WITHDRAWN),
    Person("said yes but is not in this dataset", yes=frozenset({HELP_1}), present=False),
)


def facts_of(people: Mapping[int, Person]) -> Facts:
    """A whole in order, with these people by slot."""
    groups: dict[frozenset[int], list[int]] = {}
    others: dict[Standing, list[int]] = {}
    for slot, person in people.items():
        if person.yes is not None:
            groups.setdefault(person.yes, []).append(slot)
        if person.standing is not None:
            others.setdefault(person.standing, []).append(slot)
    categories = {category for person in people.values() for category in person.objects_to}
    return Facts(
        whole=whole(WHOLE[0]),
        words=ConsentSets(
            yeses=tuple(
                Yeses(
                    versions,
                    np.array(slots, dtype=np.int32),
                    np.full(len(slots), 20_000, dtype=np.int32),
                )
                for versions, slots in groups.items()
            ),
            others={
                standing: np.array(slots, dtype=np.int32) for standing, slots in others.items()
            },
            objected=_slots(people, lambda person: person.objects),
            objected_categories={
                category: _slots(people, lambda person, c=category: c in person.objects_to)
                for category in categories
            },
            earliest_end=LATER,
        ),
        present=_slots(people, lambda person: person.present),
        since=NOW,
        until=UNTIL,
    )


CATEGORIES = {HELP_1: HELP, HELP_2: HELP, STATUS_1: STATUS, 99: 9}
STANDINGS: Mapping[Standing, Mapping[str, Any]] = {
    Standing.PAUSED: {"paused_at": LONG_AGO},
    Standing.NOT_STARTED: {"starts": UNTIL},
    Standing.EXPIRED: {"ends": NOW},
    Standing.WITHDRAWN: {"ended_at": NOW, "ending": Ending.WITHDRAWN},
}


def alone(person: Person) -> PersonFacts:
    """What is looked at where only this person is asked about."""
    consents = []
    if person.yes is not None or person.standing is not None:
        given = {"starts": LONG_AGO, "ends": LATER, "record_until": NOW.date()}
        changes = STANDINGS[person.standing] if person.standing is not None else {}
        consents.append(
            ConsentFact(**{**given, "versions": person.yes or frozenset({HELP_1}), **changes})
        )
    return PersonFacts(
        whole=whole(WHOLE[0]),
        ask=Ask(recipient=1, recipient_kind="research", purpose=1),
        consents=tuple(consents),
        objections=(
            *([ObjectionFact()] if person.objects else []),
            *(ObjectionFact(category=each) for each in person.objects_to),
        ),
        categories=CATEGORIES,
        present=person.present,
    )


def _slots(people: Mapping[int, Person], wanted: Any) -> Any:
    return np.array(sorted(slot for slot, person in people.items() if wanted(person)), np.int32)


def page() -> str:
    """docs/reference/decision.md."""
    lines = [
        "# The decision, as a table",
        "",
        "Drawn from `tests/spec/decision.py`; a test fails when this page is not current.",
        "",
        "## The whole",
        "",
        "| when | answer |",
        "|---|---|",
        *(
            f"| {row.says} | {', '.join(f'no: {g.value}' for g in row.grounds) or 'goes on'} |"
            for row in WHOLE
        ),
        "",
        "## One person",
        "",
        "Columns asked for: `kind_of_help` (in both versions of its category), `new_help` (added "
        "later), `papers` (another category). Asked about alone, she is answered the same.",
        "",
        "| she | what leaves of hers |",
        "|---|---|",
        *(
            f"| {row.says} | "
            f"{', '.join(row.columns) or (f'nothing: {row.ground.value}' if row.ground else 'nothing')} |"
            for row in PEOPLE
        ),
        "",
        "## Grounds and the rules they serve",
        "",
        "| ground | rule |",
        "|---|---|",
        *(f"| {ground.value} | {RULES[ground]} |" for ground in Ground),
        "",
    ]
    return "\n".join(lines)
