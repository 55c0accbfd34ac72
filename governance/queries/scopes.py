"""Readings of epochs and of the noes behind them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from governance.models import Scope, ScopeMove


@dataclass(frozen=True)
class Epochs:
    """How often everyone's scope and one recipient's scope have moved."""

    everyone: int
    scope: int


@dataclass(frozen=True)
class Moves:
    """The noes between two readings: the slots they are about, and whether one is about all."""

    epochs: Epochs
    slots: frozenset[int]
    whole: bool


def epochs(recipient_id: int) -> Epochs:
    """Both epochs of one recipient in one statement."""
    rows: Iterable[tuple[bool, int]] = Scope.objects.filter(
        Q(everyone=True) | Q(recipient_id=recipient_id)
    ).values_list("everyone", "epoch")
    found = dict(rows)
    return Epochs(everyone=found.get(True, 0), scope=found.get(False, 0))


def moves_since(before: Epochs, recipient_id: int) -> Moves:
    """Every no since `before`. The epochs are read first, so a no between the two readings is
    seen again next time rather than missed."""
    current = epochs(recipient_id)
    if current == before:
        return Moves(epochs=current, slots=frozenset(), whole=False)
    since = Q(scope__everyone=True, epoch__gt=before.everyone) | Q(
        scope__recipient_id=recipient_id, epoch__gt=before.scope
    )
    slots = set(ScopeMove.objects.filter(since).values_list("slot", flat=True))
    return Moves(
        epochs=current,
        slots=frozenset(slot for slot in slots if slot is not None),
        whole=None in slots,
    )
