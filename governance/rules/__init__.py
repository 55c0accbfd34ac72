"""What may be: steps, the charter's arithmetic, what a request must keep to. Pure."""

from governance.rules.charters import (
    BallotFact,
    CharterFact,
    Ground,
    Outcome,
    SeatFact,
    Verdict,
    excluded,
    verdict,
)
from governance.rules.fields import FieldSpec, clashes
from governance.rules.people import MACHINE_ROLES, role_fault, scopes_open
from governance.rules.periods import closing
from governance.rules.requests import (
    AGGREGATES_ONLY,
    AgreementFact,
    AskedField,
    Fault,
    RequestFact,
    request_faults,
)
from governance.rules.transitions import (
    AGREEMENT_STEPS,
    DATASET_STEPS,
    REQUEST_STEPS,
    AgreementVerb,
    DatasetVerb,
    RequestVerb,
    agreement_after,
    dataset_after,
    request_after,
    transitions_page,
)

__all__ = [
    "AGGREGATES_ONLY",
    "AGREEMENT_STEPS",
    "DATASET_STEPS",
    "MACHINE_ROLES",
    "REQUEST_STEPS",
    "AgreementFact",
    "AgreementVerb",
    "AskedField",
    "BallotFact",
    "CharterFact",
    "DatasetVerb",
    "Fault",
    "FieldSpec",
    "Ground",
    "Outcome",
    "RequestFact",
    "RequestVerb",
    "SeatFact",
    "Verdict",
    "agreement_after",
    "clashes",
    "closing",
    "dataset_after",
    "excluded",
    "request_after",
    "request_faults",
    "role_fault",
    "scopes_open",
    "transitions_page",
    "verdict",
]
