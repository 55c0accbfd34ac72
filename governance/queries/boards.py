"""Readings of boards, seats and what has been voted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from common.errors import RuleBroken
from common.words import sentence as _
from governance.models import AccessRequest, Board, Charter, Dataset, Membership, Seat, User
from governance.queries import people
from governance.rules import BallotFact, CharterFact, SeatFact
from governance.vocabulary import SeatKind, Vote


@dataclass(frozen=True)
class Review:
    """One request before its board: the charter it is judged by, seats, ballots, parties."""

    charter_id: int
    charter: CharterFact
    seats: tuple[SeatFact, ...]
    ballots: tuple[BallotFact, ...]
    parties: frozenset[int]


def visible_to(user: User, at: datetime) -> QuerySet[Board]:
    """The boards this user sits on, and those of the datasets this user's organisations hold."""
    own = people.organisations_of(user, at)
    held = Dataset.objects.filter(holder__in=own)
    sits = seats_of(user, at)
    return (
        Board.objects.filter(pk__in=sits.values("board"))
        | Board.objects.filter(pk__in=held.values("board"))
    ).order_by("name")


def seats_of(user: User, at: datetime) -> QuerySet[Seat]:
    """The seats this user fills at this instant."""
    return Seat.objects.filter(people.during(at), user=user)


def seat_on(user: User, board: Board, at: datetime) -> Seat | None:
    """This user's seat on this board, if there is one."""
    return seats_of(user, at).filter(board=board).first()


def seats(board: Board, at: datetime) -> QuerySet[Seat]:
    """Who sits on this board at this instant."""
    return Seat.objects.filter(people.during(at), board=board).select_related("user")


def charter(board: Board, at: datetime) -> Charter | None:
    """The rules this board decides by at this instant."""
    return Charter.objects.filter(board=board, adopted_at__lte=at).order_by("-number").first()


def review(request: AccessRequest, at: datetime) -> Review:
    """What the rules need to know of one request before its board. A request is judged by the
    charter it was handed in under: the rules do not change during the game."""
    board = request.dataset.board
    rules = charter(board, request.submitted_at or at)
    if rules is None:
        raise RuleBroken("no_charter", _("The board of this dataset has no charter yet."))
    sat = list(Seat.objects.filter(board=board).order_by("pk"))
    bound = _bound(sat, at)
    recused = set(request.recusals.values_list("seat_id", flat=True))
    return Review(
        charter_id=rules.pk,
        charter=CharterFact(
            quorum=rules.quorum,
            survivor_minimum=rules.survivor_minimum,
            threshold_percent=rules.threshold_percent,
        ),
        seats=tuple(
            SeatFact(
                seat=seat.pk,
                survivor=seat.kind == SeatKind.SURVIVOR,
                organisations=frozenset(bound[seat.pk]),
                recused=seat.pk in recused,
                ended=seat.started_at > at or (seat.ended_at is not None and seat.ended_at <= at),
            )
            for seat in sat
        ),
        ballots=tuple(
            BallotFact(seat=seat, vote=Vote(vote))
            for seat, vote in request.ballots.order_by("pk").values_list("seat_id", "vote")
        ),
        parties=frozenset({request.requester_id, request.dataset.holder_id}),
    )


def _bound(sat: Iterable[Seat], at: datetime) -> dict[int, set[int]]:
    """The organisations each seat is bound to: its user's, and the one it stands for."""
    of_user: dict[int, set[int]] = {}
    held = Membership.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at), user__in={seat.user_id for seat in sat}
    )
    for user, organisation in held.values_list("user_id", "organisation_id"):
        of_user.setdefault(user, set()).add(organisation)
    return {
        seat.pk: of_user.get(seat.user_id, set())
        | ({seat.organisation_id} if seat.organisation_id is not None else set())
        for seat in sat
    }
