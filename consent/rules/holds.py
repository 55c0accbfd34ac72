"""Until when the law keeps a record, and when one is cut from its person. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class HoldFact:
    """One legal hold: the day it runs out by itself, and when it was lifted before that."""

    ends: datetime
    lifted_at: datetime | None = None

    @property
    def until(self) -> datetime:
        return self.ends if self.lifted_at is None else min(self.ends, self.lifted_at)


def held(holds: Iterable[HoldFact], at: datetime) -> bool:
    """Whether the law keeps the record at this instant; at its end a hold holds no more."""
    return any(at < hold.until for hold in holds)


def shredded_on(agreed_at: datetime, holds: Iterable[HoldFact], delay: timedelta) -> datetime:
    """When what two have agreed to is carried out: the whole delay after the last thing that stood
    against it, so that nobody is surprised by the end of a hold."""
    return max([agreed_at, *(hold.until for hold in holds)]) + delay
