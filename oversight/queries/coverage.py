"""How far the log reaches at this moment, for the page that says what it cannot show."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit import queries as log


@dataclass(frozen=True)
class Covered:
    """How many entries are signed, since when, how many wait, and how many witnesses follow."""

    entries: int
    first_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    witnesses: int


def covered() -> Covered:
    first = next(log.entries(0, 1), None)
    waits = log.waiting()
    return Covered(
        entries=log.log_size(),
        first_at=first.time if first is not None else None,
        waiting=waits.entries,
        waiting_since=waits.since,
        witnesses=len(settings.WITNESSES.witnesses),
    )
