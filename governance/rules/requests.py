"""What a request must keep to before a board is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from common.words import sentence as _
from governance.vocabulary import AgreementState, DatasetState, PurposeKind

# Rows about single people never leave for these, whatever anybody's role (R12).
AGGREGATES_ONLY = frozenset({PurposeKind.REPORTING, PurposeKind.STATISTICS})


@dataclass(frozen=True)
class AgreementFact:
    """What the agreement named in the request says."""

    holder: int
    recipient: int
    state: AgreementState
    starts: datetime
    ends: datetime
    datasets: frozenset[int]
    purposes: frozenset[int]
    categories: frozenset[int]


@dataclass(frozen=True)
class AskedField:
    """One field that is asked for."""

    name: str
    dataset: int
    category: int
    narrative: bool


@dataclass(frozen=True)
class RequestFact:
    """Who asks for what, when, and what it rests on."""

    requester: int
    holder: int
    dataset: int
    dataset_state: DatasetState
    purpose: int
    purpose_kind: PurposeKind
    purpose_open: bool
    starts: datetime
    ends: datetime
    reason: str
    benefit: str
    agreement: AgreementFact
    fields: tuple[AskedField, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request."""

    code: str
    message: str


def request_faults(fact: RequestFact, at: datetime) -> list[Fault]:
    """Everything that stands against handing this request to a board; empty where nothing does."""
    return [*_about_itself(fact, at), *_about_fields(fact), *_about_agreement(fact, at)]


def _about_itself(fact: RequestFact, at: datetime) -> Iterator[Fault]:
    if fact.requester == fact.holder:
        yield Fault("own_data", _("An organisation does not ask for what it holds itself."))
    if fact.dataset_state != DatasetState.ACTIVE:
        yield Fault("dataset_not_active", _("This dataset is paused or retired."))
    if not fact.purpose_open:
        yield Fault("purpose_not_open", _("This purpose is paused or retired."))
    if fact.purpose_kind in AGGREGATES_ONLY:
        yield Fault("aggregates_only", _("For this purpose only counts leave, never rows."))
    if not fact.reason.strip():
        yield Fault("reason_missing", _("Say what the data is for."))
    if not fact.benefit.strip():
        yield Fault("benefit_missing", _("Say what good it does for those the data is about."))
    if fact.ends <= at:
        yield Fault("period_over", _("The period that is asked for is over already."))


def _about_fields(fact: RequestFact) -> Iterator[Fault]:
    if not fact.fields:
        yield Fault("no_fields", _("Name at least one field."))
    if any(field.dataset != fact.dataset for field in fact.fields):
        yield Fault("field_elsewhere", _("A field that is asked for is not of this dataset."))
    told = [field.name for field in fact.fields if field.narrative]
    if told:
        yield Fault(
            "narrative_field", _("A field that tells a story never leaves: %(name)s.", name=told[0])
        )


def _about_agreement(fact: RequestFact, at: datetime) -> Iterator[Fault]:
    agreement = fact.agreement
    if (agreement.holder, agreement.recipient) != (fact.holder, fact.requester):
        yield Fault("agreement_of_others", _("The agreement is not between these two."))
    if agreement.state != AgreementState.IN_FORCE or agreement.ends <= at:
        yield Fault("agreement_not_in_force", _("The agreement is not in force."))
    if fact.dataset not in agreement.datasets:
        yield Fault("agreement_dataset", _("The agreement does not cover this dataset."))
    if fact.purpose not in agreement.purposes:
        yield Fault("agreement_purpose", _("The agreement does not cover this purpose."))
    if not {field.category for field in fact.fields} <= agreement.categories:
        yield Fault("agreement_category", _("The agreement does not cover a field's category."))
    if fact.starts < agreement.starts or agreement.ends < fact.ends:
        yield Fault("outside_agreement", _("The period goes beyond the agreement's."))
