"""What must agree with what. Pure: they are given facts and know no table."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from audit.vocabulary import EntryType
from consent.rules import SKEW
from consent.vocabulary import FIRST, Ending, Happening

ENDINGS = {
    Happening.WITHDRAWN: Ending.WITHDRAWN,
    Happening.SUPERSEDED: Ending.SUPERSEDED,
    Happening.INVALIDATED: Ending.INVALIDATED,
}
IMPORTED = {Happening.GIVEN, Happening.SUPERSEDED}


@dataclass(frozen=True)
class Instant:
    """When something was answered or handed over: the clock, and both epochs it stands on."""

    at: datetime
    everyone: int
    scope: int


@dataclass(frozen=True)
class Move:
    """One epoch that a no made: everyone's, or the recipient's own."""

    everyone: bool
    epoch: int


@dataclass(frozen=True)
class No:
    """When a no was said, and the epochs it made; none where a restored database has lost them."""

    at: datetime
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Pause:
    """A pause: until a day (`known` says whether that is still known), or until it was resumed."""

    no: No
    until: datetime | None
    known: bool
    resumed_at: datetime | None


@dataclass(frozen=True)
class Yes:
    """One consent with everything that took from it, and the categories it is about."""

    recorded_at: datetime
    starts: datetime
    ends: datetime
    ended: No | None
    pauses: tuple[Pause, ...]
    categories: frozenset[int]


@dataclass(frozen=True)
class Against:
    """One standing no to the ask; `category` where it is to that category alone."""

    no: No
    lifted_at: datetime | None
    category: int | None


def came_first(no: No, instant: Instant) -> bool:
    """Whether the no precedes the instant: the epoch decides, not the number of an entry.

    What stands at epoch e - 1 precedes the no that made e (evidence-log design, "Order"). Where no
    epoch is known to have been made by it, the clock decides.
    """
    if not no.moves:
        return no.at <= instant.at
    return any(
        move.epoch <= (instant.everyone if move.everyone else instant.scope) for move in no.moves
    )


def stands(yes: Yes, instant: Instant) -> bool:
    """Whether the yes was in force at the instant."""
    if yes.recorded_at > instant.at + SKEW or not yes.starts <= instant.at < yes.ends:
        return False
    if yes.ended is not None and came_first(yes.ended, instant):
        return False
    return not any(_paused(pause, instant) for pause in yes.pauses)


def speaks(against: Against, instant: Instant) -> bool:
    """Whether the standing no was in force at the instant."""
    lifted = against.lifted_at is not None and against.lifted_at <= instant.at
    return not lifted and came_first(against.no, instant)


def allowed(
    yeses: Iterable[Yes], against: Iterable[Against], used: frozenset[int], instant: Instant
) -> bool:
    """Whether one person's words let these categories of hers go at the instant (promise 3)."""
    noes = [each for each in against if speaks(each, instant)]
    if any(each.category is None or each.category in used for each in noes):
        return False
    return any(used <= each.categories and stands(each, instant) for each in yeses)


def said_no(yeses: Iterable[Yes], against: Iterable[Against], instant: Instant) -> bool:
    """Whether any no of hers precedes the instant; otherwise she has only never said yes."""
    noes = [each.ended for each in yeses if each.ended is not None]
    noes += [pause.no for each in yeses for pause in each.pauses]
    return any(came_first(no, instant) for no in [*noes, *(each.no for each in against)])


def _paused(pause: Pause, instant: Instant) -> bool:
    if not came_first(pause.no, instant):
        return False
    if pause.resumed_at is not None:
        return instant.at < pause.resumed_at
    return pause.known and (pause.until is None or pause.until > instant.at)


@dataclass(frozen=True)
class State:
    """How a consent stands, as far as its events tell it."""

    ended_at: datetime | None = None
    ending: str | None = None
    paused_at: datetime | None = None
    expired_at: datetime | None = None


def derived(events: Sequence[tuple[str, datetime]]) -> State | str:
    """The state that these events, in their order, lead to; a sentence where they cannot be."""
    if not events or events[0][0] not in FIRST:
        return "its first event is no yes."
    state = State()
    for happening, at in events[1:]:
        if state.ended_at is not None:
            return "something happened to it after its end."
        if happening in FIRST:
            return "it was given twice."
        if happening == Happening.EXPIRED and state.expired_at is not None:
            return "its time was over twice."
        state = _after(state, happening, at)
    return state


def _after(state: State, happening: str, at: datetime) -> State:
    if happening in ENDINGS:
        return replace(state, ended_at=at, ending=ENDINGS[Happening(happening)])
    if happening == Happening.EXPIRED:
        return replace(state, expired_at=at)
    if happening in {Happening.PAUSED, Happening.RESUMED}:
        return replace(state, paused_at=at if happening == Happening.PAUSED else None)
    return state


def entries_of(happening: str) -> Collection[EntryType]:
    """The types of entry that an event of this kind can stand under."""
    own = EntryType(f"consent:{happening}")
    return {own, EntryType.CONSENT_IMPORTED} if happening in IMPORTED else {own}


def asked_digest(asked: Mapping[str, str]) -> str:
    """What the log keeps of what an auditor looked for; a salt is among it."""
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
