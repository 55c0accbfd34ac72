"""Boards, by which rules they decide, who sits on them, and how each voted."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models.people import Organisation, User
from governance.models.requests import AccessRequest
from governance.vocabulary import RequestState, SeatKind, Vote


def board_reference() -> str:
    return ids.reference("brd")


class Board(models.Model):
    """Those who decide who may receive a dataset."""

    ref = models.CharField(max_length=32, unique=True, default=board_reference)
    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(["id", "ref", "name", "created_at"], Sensitivity.PUBLIC)

    class Meta:
        permissions = [("sit_board", "sit on this board")]

    def __str__(self) -> str:
        return self.ref


class Charter(models.Model):
    """The rules by which one board decides, from one day on."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="charters")
    number = models.PositiveIntegerField()
    quorum = models.PositiveIntegerField()
    survivor_minimum = models.PositiveIntegerField()
    threshold_percent = models.PositiveIntegerField()
    answer_days = models.PositiveIntegerField()
    adopted_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "board",
            "number",
            "quorum",
            "survivor_minimum",
            "threshold_percent",
            "answer_days",
            "adopted_at",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["board", "number"], name="charter_number_once"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="charter_quorum_at_least_one"),
            models.CheckConstraint(
                condition=Q(survivor_minimum__gte=1), name="charter_has_survivor_seats"
            ),
            models.CheckConstraint(
                condition=Q(threshold_percent__gte=51, threshold_percent__lte=100),
                name="charter_threshold_is_majority",
            ),
            models.CheckConstraint(
                condition=Q(answer_days__gte=1, answer_days__lte=180), name="charter_answer_days"
            ),
        ]

    def __str__(self) -> str:
        return f"charter {self.pk}"


class Seat(models.Model):
    """One place on one board and who fills it for a time."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="seats")
    kind = models.CharField(max_length=24, choices=SeatKind.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="seats")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "board", "kind", "user", "organisation", "started_at", "ended_at"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("kind", SeatKind, name="seat_kind_known"),
            ordered("started_at", "ended_at", name="seat_starts_before_end"),
            models.UniqueConstraint(
                fields=["board", "user"],
                condition=Q(ended_at__isnull=True),
                name="seat_one_per_person",
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.pk}"


class Ballot(models.Model):
    """How one seat voted on one request, and why."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="ballots")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="ballots")
    vote = models.CharField(max_length=8, choices=Vote.choices)
    reason = models.CharField(max_length=1000)
    cast_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "request", "seat", "vote", "reason", "cast_at"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "seat"], name="ballot_one_per_seat"),
            one_of("vote", Vote, name="ballot_vote_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="ballot_has_reason"),
        ]

    def __str__(self) -> str:
        return f"ballot {self.pk}"


class Recusal(models.Model):
    """One seat steps back from one request; no reason is asked."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="recusals")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="recusals")
    recused_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "request", "seat", "recused_at"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "seat"], name="recusal_one_per_seat")
        ]

    def __str__(self) -> str:
        return f"recusal {self.pk}"


class Decision(models.Model):
    """What the board answered to one request, under which charter, with which votes."""

    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="decision")
    charter = models.ForeignKey(Charter, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=16, choices=RequestState.choices)
    yes = models.PositiveIntegerField()
    no = models.PositiveIntegerField()
    survivors_present = models.PositiveIntegerField()
    decided_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "request", "charter", "outcome", "yes", "no", "survivors_present", "decided_at"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=[RequestState.APPROVED, RequestState.REFUSED]),
                name="decision_is_yes_or_no",
            )
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"
