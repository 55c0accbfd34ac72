"""Boards are called together, adopt a charter, and their seats are filled and ended."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import Board, Charter, Organisation, Seat, User
from governance.rules import closing
from governance.vocabulary import Closing, SeatKind, UserKind


@taking(name=of(Board, "name"))
@transaction.atomic
def create(*, name: str, by: User, at: datetime, via: Via) -> Board:
    """A board is called together; it decides nothing until it has a charter and seats."""
    permissions.check_can_convene(by)
    tidy = name.strip()
    if Board.objects.filter(name__iexact=tidy).exists():
        raise RuleBroken("board_name_taken", _("There is a board of that name."))
    board = Board.objects.create(name=tidy, created_at=at)
    trail.record(
        type=EntryType.BOARD_CHARTERED,
        by=by,
        at=at,
        via=via,
        resource=board.ref,
        reason="called_together",
    )
    return board


@taking(
    quorum=of(Charter, "quorum"),
    survivor_minimum=of(Charter, "survivor_minimum"),
    threshold_percent=of(Charter, "threshold_percent"),
    answer_days=of(Charter, "answer_days"),
)
@transaction.atomic
def adopt_charter(
    *,
    board: Board,
    quorum: int,
    survivor_minimum: int,
    threshold_percent: int,
    answer_days: int,
    by: User,
    at: datetime,
    via: Via,
) -> Charter:
    """The board decides by these rules from now on, and the earlier ones stay on record."""
    permissions.check_can_convene(by)
    found = Board.objects.select_for_update().get(pk=board.pk)
    _check_charter(quorum, survivor_minimum, threshold_percent, answer_days)
    latest = found.charters.order_by("-number").first()
    charter = Charter.objects.create(
        board=found,
        number=1 if latest is None else latest.number + 1,
        quorum=quorum,
        survivor_minimum=survivor_minimum,
        threshold_percent=threshold_percent,
        answer_days=answer_days,
        adopted_at=at,
    )
    trail.record(
        type=EntryType.BOARD_CHARTERED,
        by=by,
        at=at,
        via=via,
        resource=f"{found.ref}/charter-{charter.number}",
    )
    return charter


@taking()
@transaction.atomic
def fill_seat(
    *,
    board: Board,
    user: User,
    kind: SeatKind,
    by: User,
    at: datetime,
    via: Via,
    organisation: Organisation | None = None,
) -> Seat:
    """One person takes one seat; `organisation` where the seat speaks for a body."""
    permissions.check_can_convene(by)
    found = Board.objects.select_for_update().get(pk=board.pk)
    if user.kind != UserKind.STAFF:
        raise RuleBroken("seat_for_staff", _("A seat is filled by a staff account of its own."))
    if User.objects.select_for_update(no_key=True).get(pk=user.pk).ended_at is not None:
        raise RuleBroken("account_ended", _("This account has ended. Invite the person anew."))
    if found.seats.filter(user=user, ended_at__isnull=True).exists():
        raise RuleBroken("seat_held", _("This person has a seat on this board already."))
    seat = Seat.objects.create(
        board=found, kind=SeatKind(kind), user=user, organisation=organisation, started_at=at
    )
    permissions.seat(user, found)
    trail.record(
        type=EntryType.SEAT_FILLED,
        by=by,
        at=at,
        via=via,
        resource=f"{found.ref}/seat-{seat.pk}",
        reason=seat.kind,
    )
    return seat


def end_seat(*, seat: Seat, by: User, at: datetime, via: Via) -> Seat:
    """A seat ends: by the community, or by the one who fills it. Nothing leaves by a seat, so no
    epoch moves: what the board has answered stands, and what is open goes on without this seat."""
    with scopes.closing(act=Closing.SEAT_ENDED) as moment:
        found = (
            Seat.objects.select_for_update(of=("self",))
            .select_related("board", "user")
            .get(pk=seat.pk)
        )
        if found.user_id != by.pk and not permissions.can_convene(by):
            raise NotPermitted("may_not_end_seat", _("You may not end this seat."))
        if found.ended_at is not None:
            raise RuleBroken("seat_ended", _("This seat has ended already."))
        vacate(seat=found, by=by, at=at, via=via, moment=moment)
    return found


def vacate(*, seat: Seat, by: User, at: datetime, via: Via, moment: scopes.Moment) -> None:
    """A seat is over, inside the caller's transaction; for the deeds that end one."""
    seat.ended_at = closing(seat.started_at, at)
    seat.save(update_fields=["ended_at"])
    permissions.unseat(seat.user, seat.board)
    moment.tell(
        what="seat",
        board=seat.board.ref,
        user=seat.user.ref,
        started_at=seat.started_at.isoformat(),
    )
    trail.record(
        type=EntryType.SEAT_ENDED,
        by=by,
        at=at,
        via=via,
        resource=f"{seat.board.ref}/seat-{seat.pk}",
    )


def _check_charter(quorum: int, survivors: int, threshold: int, days: int) -> None:
    if quorum < 1 or survivors < 1:
        raise BadInput("charter_numbers", _("Quorum and survivor minimum are 1 or more."))
    if not 51 <= threshold <= 100:
        raise BadInput("charter_threshold", _("The threshold is a majority: 51 to 100 percent."))
    if not 1 <= days <= 180:
        raise BadInput("charter_days", _("The time to answer is 1 to 180 days."))
