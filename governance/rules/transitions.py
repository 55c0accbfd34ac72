"""Which step leads from which state to which: tables, and the page that is drawn from them."""

from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any

from common.errors import RuleBroken
from common.words import sentence as _
from governance.vocabulary import AgreementState, DatasetState, RequestState


class AgreementVerb(StrEnum):
    """What can be done to an agreement. The second party's signature is the countersignature."""

    SIGN = "sign"
    COUNTERSIGN = "countersign"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


class RequestVerb(StrEnum):
    """What can be done to a request."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    LAPSE = "lapse"
    END = "end"


class DatasetVerb(StrEnum):
    """What can be done to a dataset."""

    PAUSE = "pause"
    RESUME = "resume"
    RETIRE = "retire"


AGREEMENT_STEPS: Mapping[tuple[AgreementState, AgreementVerb], AgreementState] = {
    (AgreementState.DRAFT, AgreementVerb.SIGN): AgreementState.DRAFT,
    (AgreementState.DRAFT, AgreementVerb.COUNTERSIGN): AgreementState.IN_FORCE,
    (AgreementState.DRAFT, AgreementVerb.END): AgreementState.ENDED,
    (AgreementState.IN_FORCE, AgreementVerb.SUSPEND): AgreementState.SUSPENDED,
    (AgreementState.IN_FORCE, AgreementVerb.END): AgreementState.ENDED,
    (AgreementState.SUSPENDED, AgreementVerb.RESUME): AgreementState.IN_FORCE,
    (AgreementState.SUSPENDED, AgreementVerb.END): AgreementState.ENDED,
}

REQUEST_STEPS: Mapping[tuple[RequestState, RequestVerb], RequestState] = {
    (RequestState.DRAFT, RequestVerb.SUBMIT): RequestState.SUBMITTED,
    (RequestState.DRAFT, RequestVerb.END): RequestState.ENDED,
    (RequestState.SUBMITTED, RequestVerb.APPROVE): RequestState.APPROVED,
    (RequestState.SUBMITTED, RequestVerb.REFUSE): RequestState.REFUSED,
    (RequestState.SUBMITTED, RequestVerb.LAPSE): RequestState.LAPSED,
    (RequestState.SUBMITTED, RequestVerb.END): RequestState.ENDED,
    (RequestState.APPROVED, RequestVerb.END): RequestState.ENDED,
}

DATASET_STEPS: Mapping[tuple[DatasetState, DatasetVerb], DatasetState] = {
    (DatasetState.ACTIVE, DatasetVerb.PAUSE): DatasetState.PAUSED,
    (DatasetState.ACTIVE, DatasetVerb.RETIRE): DatasetState.RETIRED,
    (DatasetState.PAUSED, DatasetVerb.RESUME): DatasetState.ACTIVE,
    (DatasetState.PAUSED, DatasetVerb.RETIRE): DatasetState.RETIRED,
}


def agreement_after(state: str, verb: AgreementVerb) -> AgreementState:
    """The state an agreement is in after this step; RuleBroken where there is no such step."""
    found = AGREEMENT_STEPS.get((AgreementState(state), verb))
    if found is None:
        now = AgreementState(state).label
        raise RuleBroken(
            "agreement_state",
            _("This agreement is %(state)s: this step is not possible.", state=now),
        )
    return found


def request_after(state: str, verb: RequestVerb) -> RequestState:
    """The state a request is in after this step; RuleBroken where there is no such step."""
    found = REQUEST_STEPS.get((RequestState(state), verb))
    if found is None:
        now = RequestState(state).label
        raise RuleBroken(
            "request_state", _("This request is %(state)s: this step is not possible.", state=now)
        )
    return found


def dataset_after(state: str, verb: DatasetVerb) -> DatasetState:
    """The state a dataset is in after this step; RuleBroken where there is no such step."""
    found = DATASET_STEPS.get((DatasetState(state), verb))
    if found is None:
        now = DatasetState(state).label
        raise RuleBroken(
            "dataset_state", _("This dataset is %(state)s: this step is not possible.", state=now)
        )
    return found


def transitions_page() -> str:
    """The page `docs/reference/transitions.md`, drawn from the tables above."""
    parts = [
        "# Steps",
        "",
        "Drawn from `governance/rules/transitions.py` by `manage.py drawtransitions`; a test",
        "checks that this page is current. A step that is not here is refused (409).",
        "",
        "An agreement, a request and everything they rest on also have a period. Past its end none",
        "of them counts, whatever its state says: no clock task is needed for that.",
        "",
    ]
    parts += _drawn("Agreement", AGREEMENT_STEPS, AgreementState)
    parts += _drawn("Request", REQUEST_STEPS, RequestState)
    parts += _drawn("Dataset", DATASET_STEPS, DatasetState)
    return "\n".join(parts)


def _drawn(title: str, steps: Mapping[tuple[Any, Any], Any], states: type[Enum]) -> Iterator[str]:
    verbs = list(dict.fromkeys(verb for _, verb in steps))
    yield from (f"## {title}", "", "```mermaid", "stateDiagram-v2")
    yield f"    [*] --> {next(iter(states)).value}"
    for (state, verb), after in steps.items():
        yield f"    {state.value} --> {after.value}: {verb}"
    for state in states:
        if not any(start == state for start, _ in steps):
            yield f"    {state.value} --> [*]"
    yield from ("```", "", "| state | " + " | ".join(verbs) + " |", "|---" * (len(verbs) + 1) + "|")
    for state in states:
        cells = [steps[state, verb].value if (state, verb) in steps else "-" for verb in verbs]
        yield f"| {state.value} | " + " | ".join(cells) + " |"
    yield ""
