"""What may be decided about what a person says is wrong, by when, and what it does. Pure."""

from datetime import datetime, timedelta

from consent.vocabulary import ANSWER_DAYS, Contested, Decided

ANSWER_WITHIN = timedelta(days=ANSWER_DAYS)

# Whether the information may go again, as far as she said yes to it, by what was asked and decided.
GOES_AGAIN: dict[Contested, dict[Decided, bool]] = {
    Contested.CORRECTION: {Decided.CORRECTED: True, Decided.UNCHANGED: True},
    Contested.RESTRICTION: {Decided.KEPT: False, Decided.ENDED: True},
}


def fits(kind: Contested, decision: Decided) -> bool:
    """Whether this answers what was asked."""
    return decision in GOES_AGAIN[kind]


def goes_again(kind: Contested, decision: Decided) -> bool:
    """Whether what was held back may go again, as far as she said yes to it."""
    return GOES_AGAIN[kind][decision]


def answer_by(asked_at: datetime) -> datetime:
    """The instant until which it is to be decided; until then, and after it, nothing of it goes."""
    return asked_at + ANSWER_WITHIN


def overdue(asked_at: datetime, at: datetime) -> bool:
    """Whether that instant has come and nobody has decided."""
    return answer_by(asked_at) <= at
