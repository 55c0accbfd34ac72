"""Categories under rules of their own: where a column may stand, and how a category comes under them.

Sources: R13 (law enforcement's information is never merged into a service provider's records) and
R14 (places are a category of their own) of docs/law.md. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import RuleBroken
from common.words import joined
from common.words import sentence as _
from governance.vocabulary import Care, FieldSensitivity


@dataclass(frozen=True)
class Placed:
    """One column, what it reveals, and under which rules the category stands that it is in."""

    name: str
    field_sensitivity: FieldSensitivity
    care: Care


def misplaced(columns: Sequence[Placed]) -> list[str]:
    """What is wrong with where these columns stand, each in one sentence (R14)."""
    found: list[str] = []
    for each in columns:
        place = each.field_sensitivity == FieldSensitivity.LOCATION
        if place and each.care != Care.LOCATION:
            found.append(
                _(
                    "The field %(name)s says where somebody is: put it into a category for places.",
                    name=each.name,
                )
            )
        if not place and each.care == Care.LOCATION:
            found.append(
                _(
                    "The field %(name)s says no place: a category for places holds nothing else.",
                    name=each.name,
                )
            )
    return found


def mixed(columns: Sequence[Placed]) -> list[str]:
    """Whether one dataset's columns come from law enforcement and from elsewhere, in a sentence (R13)."""
    if len({each.care == Care.LAW_ENFORCEMENT for each in columns}) < 2:
        return []
    return [
        _(
            "What law enforcement made never stands in one dataset with anything else: make a "
            "dataset of its own for it."
        )
    ]


def care_after(before: Care, care: Care) -> Care:
    """An ordinary category comes under rules of its own, and stays under them.

    Raises RuleBroken for any other step: it would let more leave than before.
    """
    if before != Care.ORDINARY or care == Care.ORDINARY:
        raise RuleBroken(
            "care_stays",
            _("Only an ordinary category comes under rules of its own, and it stays under them."),
        )
    return care


def check_placed(columns: Sequence[Placed]) -> None:
    """Raises RuleBroken where one of these columns may not stand where it does."""
    if wrong := misplaced(columns):
        raise RuleBroken("field_misplaced", joined(wrong))


def check_unmixed(columns: Sequence[Placed]) -> None:
    """Raises RuleBroken where the columns of one dataset may not stand together."""
    if wrong := mixed(columns):
        raise RuleBroken("origins_mixed", joined(wrong))
