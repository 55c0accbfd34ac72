"""What looks unusual in the log. Pure: each rule is given counts, and says why it speaks.

A hint is a question to somebody, never a verdict: each names the figures it rests on and what it
was held against.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from oversight.vocabulary import Hint

FEWEST = 10  # below it no volume is much, whatever was before
TIMES = 3  # as often as one's own usual day, or more
DAYS_BEFORE = 7  # so many days of one's own past are needed to know what is usual
REFUSED_SHARE = 0.5
FEWEST_REFUSED = 5
OPENS, CLOSES = 7, 19  # the working day, from its first hour up to its last
SATURDAY = 5
GRAVEST = (Hint.COMPELLED, Hint.CROWDED, Hint.VOLUME, Hint.REFUSALS, Hint.OFF_HOURS)
GRAVITY = {hint: place for place, hint in enumerate(GRAVEST)}
CROWD = 5  # a person in more releases than this within the time looked at


@dataclass(frozen=True)
class Deeds:
    """What one actor did on one day: asked for or took data, and how much was refused or late."""

    actor: str
    day: date
    count: int
    refused: int = 0
    off_hours: int = 0


@dataclass(frozen=True)
class Spoken:
    """One hint: which rule, about whom or what, on which day, and the figures that it rests on."""

    hint: Hint
    about: str
    day: date | None
    found: int
    usual: int = 0


def off_hours(moment: datetime) -> bool:
    """Whether a moment, in the place's own time, lies outside the working day or on a weekend."""
    return moment.weekday() >= SATURDAY or not OPENS <= moment.hour < CLOSES


def volume(days: Sequence[Deeds]) -> list[Spoken]:
    """Days of one actor that are far above the median of the days before them."""
    spoken = []
    past: list[int] = []  # the counts of the days before, the smallest first
    for today in sorted(days, key=lambda each: each.day):
        if today.count >= FEWEST and len(past) >= DAYS_BEFORE:
            usual = (past[(len(past) - 1) // 2] + past[len(past) // 2]) / 2
            if today.count >= TIMES * max(usual, 1):
                spoken.append(
                    Spoken(Hint.VOLUME, today.actor, today.day, today.count, round(usual))
                )
        insort(past, today.count)
    return spoken


def refusals(days: Sequence[Deeds]) -> list[Spoken]:
    """Days on which at least half of what one actor asked for was refused."""
    return [
        Spoken(Hint.REFUSALS, each.actor, each.day, each.refused, each.count)
        for each in days
        if each.refused >= FEWEST_REFUSED and each.refused >= REFUSED_SHARE * each.count
    ]


def late(days: Sequence[Deeds]) -> list[Spoken]:
    """Days on which somebody took or asked for data outside working hours."""
    return [
        Spoken(Hint.OFF_HOURS, each.actor, each.day, each.off_hours, each.count)
        for each in days
        if each.off_hours
    ]


def crowded(releases_of: Mapping[str, int]) -> list[Spoken]:
    """Persons who were in more releases than is usual: by their handle in the case, and of everybody
    else the one who was in most, by the holder alone. Nobody learns who she is."""
    return [
        Spoken(Hint.CROWDED, handle, None, count, CROWD)
        for handle, count in sorted(releases_of.items())
        if count > CROWD
    ]


def compelled(days: Mapping[date, int]) -> list[Spoken]:
    """Every disclosure under compulsion is looked at: there is no usual number of them."""
    return [Spoken(Hint.COMPELLED, "", day, count) for day, count in sorted(days.items()) if count]


def hints(
    deeds: Sequence[Deeds], releases_of: Mapping[str, int], under_compulsion: Mapping[date, int]
) -> list[Spoken]:
    """Everything that the rules say, the gravest kind first, then the newest day."""
    by_actor: dict[str, list[Deeds]] = {}
    for each in deeds:
        by_actor.setdefault(each.actor, []).append(each)
    spoken = compelled(under_compulsion) + crowded(releases_of)
    for theirs in by_actor.values():
        spoken += volume(theirs) + refusals(theirs) + late(theirs)
    return sorted(
        spoken,
        key=lambda each: (GRAVITY[each.hint], -(each.day or date.min).toordinal(), each.about),
    )
