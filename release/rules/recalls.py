"""Who is asked back of whom, and how an asking-back stands. Pure.

Source: R21 (a stop reaches recipients, is acknowledged, deletion is attested, overdue is told);
portal-and-desk, "What the reviews added" (every end starts one).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np

from consent.rules import Slots
from release.rules.slots import both, united, without
from release.vocabulary import RecallState, Step

MOST_PIECES = 62  # bits of one whole number
Piece = TypeVar("Piece", bound=Hashable)


@dataclass(frozen=True)
class AskedBack:
    """These columns of these people's records; no columns: all there is of them."""

    columns: tuple[str, ...]
    slots: Slots


def state(steps: Mapping[Step, datetime], due_at: datetime, at: datetime) -> RecallState:
    """How a recall stands at `at`; past its day it is overdue at that second, whoever has looked."""
    if Step.REPORTED in steps:
        return RecallState.REPORTED
    if at >= due_at:
        return RecallState.OVERDUE
    return RecallState.ACKNOWLEDGED if Step.ACKNOWLEDGED in steps else RecallState.ASKED


def still_there(
    inside: Mapping[Piece, Slots],
    columns: Mapping[Piece, tuple[str, ...]],
    before: Sequence[AskedBack],
) -> dict[Piece, Slots]:
    """Who is inside with which piece, without what was asked back before."""
    found = dict(inside)
    for earlier in before:
        for piece, those in found.items():
            if not earlier.columns or set(columns[piece]) <= set(earlier.columns):
                found[piece] = without(those, earlier.slots)
    return found


def asked_back(
    inside: Mapping[Piece, Slots],
    gone: Mapping[Piece, Slots],
    columns: Mapping[Piece, tuple[str, ...]],
) -> list[AskedBack]:
    """What to ask back: everything of whom nothing may be kept, else the columns that may not.

    `gone`: of those inside with a piece, whose piece may no longer be kept. Raises ValueError for
    more than 62 pieces.
    """
    pieces = list(inside)
    if len(pieces) > MOST_PIECES:
        raise ValueError(f"At most {MOST_PIECES} pieces fit in one release.")
    ended = {piece: both(those, inside[piece]) for piece, those in gone.items()}
    people = united(list(ended.values()))
    held = np.zeros(len(people), dtype=np.int64)
    lost = np.zeros(len(people), dtype=np.int64)
    for bit, piece in enumerate(pieces):
        held[np.isin(people, inside[piece])] |= 1 << bit
        lost[np.isin(people, ended[piece])] |= 1 << bit
    whole = lost == held
    found = [AskedBack((), people[whole])]
    for mask in np.unique(lost[~whole]).tolist():
        names = {
            name for bit, piece in enumerate(pieces) if mask >> bit & 1 for name in columns[piece]
        }
        found.append(AskedBack(tuple(sorted(names)), people[~whole & (lost == mask)]))
    return [each for each in found if len(each.slots)]
