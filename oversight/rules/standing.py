"""How things stood at an instant, from what happened to them before it. Pure."""

from collections.abc import Iterable
from datetime import datetime

from audit.vocabulary import EntryType
from consent.vocabulary import FIRST, Happening
from governance.vocabulary import AgreementState
from oversight import rules

AGREEMENT = {
    EntryType.AGREEMENT_DRAFTED: AgreementState.DRAFT,
    EntryType.AGREEMENT_SUSPENDED: AgreementState.SUSPENDED,
    EntryType.AGREEMENT_RESUMED: AgreementState.IN_FORCE,
    EntryType.AGREEMENT_ENDED: AgreementState.ENDED,
}
COUNTERSIGNED = "countersigned"


def agreement(
    entries: Iterable[tuple[str, datetime, str]], starts: datetime, ends: datetime, at: datetime
) -> AgreementState | None:
    """The state that these entries (type, time, reason), oldest first, had led to at the instant.

    An agreement in force is so within its period only. None where it was not there yet.
    """
    state: AgreementState | None = None
    for kind, time, reason in entries:
        if time > at:
            continue
        if kind == EntryType.AGREEMENT_SIGNED:
            state = AgreementState.IN_FORCE if reason == COUNTERSIGNED else state
        else:
            state = AGREEMENT.get(EntryType(kind), state)
    if state == AgreementState.IN_FORCE and not starts <= at < ends:
        return AgreementState.ENDED if at >= ends else AgreementState.DRAFT
    return state


LIVE = (*FIRST, Happening.RESUMED)
"""The last turn of a yes that is neither over nor paused."""

PAUSES = (Happening.PAUSED, Happening.RESUMED)

TURNS = (*LIVE, Happening.PAUSED, *rules.ENDINGS)
"""What makes a yes stand or not; whatever else happens to it leaves it as it was."""
