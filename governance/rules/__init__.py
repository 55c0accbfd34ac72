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
from governance.rules.fields import (
    ClassificationFact,
    FieldSpec,
    VersionFact,
    clashes,
    covering,
)
from governance.rules.people import role_fault
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
    "REQUEST_STEPS",
    "AgreementFact",
    "AgreementVerb",
    "AskedField",
    "BallotFact",
    "CharterFact",
    "ClassificationFact",
    "DatasetVerb",
    "Fault",
    "FieldSpec",
    "Ground",
    "Outcome",
    "RequestFact",
    "RequestVerb",
    "SeatFact",
    "Verdict",
    "VersionFact",
    "agreement_after",
    "clashes",
    "closing",
    "covering",
    "dataset_after",
    "excluded",
    "request_after",
    "request_faults",
    "role_fault",
    "transitions_page",
    "verdict",
]
