"""Which state a request or an agreement is in by its entries, oldest first. Pure."""

from collections.abc import Iterable

from audit.vocabulary import Decision, EntryType
from governance.vocabulary import AgreementState, RequestState
from oversight.rules import standing

REQUEST = {
    EntryType.REQUEST_DRAFTED: RequestState.DRAFT,
    EntryType.REQUEST_SUBMITTED: RequestState.SUBMITTED,
    EntryType.REQUEST_LAPSED: RequestState.LAPSED,
    EntryType.REQUEST_WITHDRAWN: RequestState.ENDED,
    EntryType.REQUEST_ENDED: RequestState.ENDED,
}
ANSWERS = {Decision.PERMITTED: RequestState.APPROVED, Decision.REFUSED: RequestState.REFUSED}


def request_state(entries: Iterable[tuple[str, str]]) -> RequestState | None:
    """By the types of its entries and their decisions; None where there is none."""
    state: RequestState | None = None
    for kind, decision in entries:
        if kind == EntryType.REQUEST_DECIDED:
            state = ANSWERS[Decision(decision)]
        else:
            state = REQUEST.get(EntryType(kind), state)
    return state


def agreement_state(entries: Iterable[tuple[str, str]]) -> AgreementState | None:
    """By the types of its entries and their reasons, whatever its period; None where there is none."""
    state: AgreementState | None = None
    for kind, reason in entries:
        if kind == EntryType.AGREEMENT_SIGNED:
            state = AgreementState.IN_FORCE if reason == standing.COUNTERSIGNED else state
        else:
            state = standing.AGREEMENT.get(EntryType(kind), state)
    return state
