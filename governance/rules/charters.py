"""The charter's arithmetic: what a board has answered, given who may count and how they voted.

A seat does not count where it has ended, where it stepped back, or where the one who fills it, or
the organisation it stands for, belongs to the requester or the holder. It approves as soon as the
quorum is present, enough survivor seats are among those present, and enough of those who said yes
or no said yes. It refuses as soon as the first two hold and no vote still to come could change the
answer. “I need to know more” is present, and neither yes nor no.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.vocabulary import Vote


class Outcome(StrEnum):
    """What the board has answered so far."""

    APPROVED = "approved"
    REFUSED = "refused"
    NOT_YET = "not_yet"


class Ground(StrEnum):
    """Why there is no approval."""

    NO_QUORUM = "no_quorum"
    TOO_FEW_SURVIVORS = "too_few_survivors"
    THRESHOLD_NOT_REACHED = "threshold_not_reached"


@dataclass(frozen=True)
class CharterFact:
    """By which rules the board decides."""

    quorum: int
    survivor_minimum: int
    threshold_percent: int


@dataclass(frozen=True)
class SeatFact:
    """One seat: whom it is bound to (memberships of its user, and the body it stands for)."""

    seat: int
    survivor: bool = False
    organisations: frozenset[int] = frozenset()
    recused: bool = False
    ended: bool = False


@dataclass(frozen=True)
class BallotFact:
    """How one seat voted."""

    seat: int
    vote: Vote


@dataclass(frozen=True)
class Verdict:
    """The answer, the ground where it is not an approval, and the votes that counted."""

    outcome: Outcome
    ground: Ground | None
    yes: int
    no: int
    present: int
    survivors_present: int


def excluded(seat: SeatFact, parties: Collection[int]) -> bool:
    """Whether this seat has no say in a matter between these organisations."""
    return seat.ended or seat.recused or not seat.organisations.isdisjoint(parties)


def verdict(
    *,
    charter: CharterFact,
    seats: Sequence[SeatFact],
    ballots: Sequence[BallotFact],
    parties: Collection[int],
) -> Verdict:
    """What the board has answered. `parties`: the requester and the holder."""
    counting = {seat.seat: seat for seat in seats if not excluded(seat, parties)}
    votes = {ballot.seat: ballot.vote for ballot in ballots if ballot.seat in counting}
    yes = sum(vote == Vote.YES for vote in votes.values())
    no = sum(vote == Vote.NO for vote in votes.values())
    survivors = sum(counting[seat].survivor for seat in votes)
    still_open = len(counting) - len(votes)

    outcome, ground = Outcome.NOT_YET, None
    if len(votes) < charter.quorum:
        ground = Ground.NO_QUORUM
    elif survivors < charter.survivor_minimum:
        ground = Ground.TOO_FEW_SURVIVORS
    elif _reached(charter, yes, no):
        outcome = Outcome.APPROVED
    else:
        ground = Ground.THRESHOLD_NOT_REACHED
        if not _reached(charter, yes + still_open, no):
            outcome = Outcome.REFUSED
    return Verdict(
        outcome=outcome,
        ground=ground,
        yes=yes,
        no=no,
        present=len(votes),
        survivors_present=survivors,
    )


def _reached(charter: CharterFact, yes: int, no: int) -> bool:
    return yes > 0 and 100 * yes >= charter.threshold_percent * (yes + no)
