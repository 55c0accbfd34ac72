"""How a deed of any rung is written down: who did it is an opaque reference, or `person`.

Where no user did it, it was the clock, or the operator at the machine, who comes by a command.
"""

from datetime import datetime
from typing import Any

from audit import actions as audit
from audit.vocabulary import Decision, EntryType, Via
from common.acting import CLOCK
from governance.models import User
from governance.vocabulary import UserKind

PERSON = "person"
OPERATOR = "operator"


def actor(by: User | None) -> str:
    """The log's name for who acts: a survivor is always `person`; the clock is `clock`."""
    if by is None:
        return CLOCK
    return PERSON if by.kind == UserKind.SURVIVOR else by.ref


def record(
    *,
    type: EntryType,
    by: User | None,
    at: datetime,
    via: Via,
    resource: str = "",
    purpose: str = "",
    decision: Decision = Decision.DONE,
    reason: str = "",
    **facts: Any,
) -> Any:
    """Write one entry in the deed's own transaction; returns the pending `audit.Entry`."""
    return audit.record(
        type=type,
        actor=OPERATOR if by is None and via == Via.COMMAND else actor(by),
        at=at,
        via=via,
        resource=resource,
        purpose=purpose,
        decision=decision,
        reason=reason,
        **facts,
    )
