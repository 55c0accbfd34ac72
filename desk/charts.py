"""Where the marks of a chart stand. The numbers are those of the table beside it, in its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from audit.queries.search import Day

WIDTH, HEIGHT, TOP = 720, 140, 24  # of the drawing; marks stand in the strip above the bars
WIDEST = 24


@dataclass(frozen=True)
class Bar:
    """One day: its bar, and where its marks stand."""

    day: Day
    x: float
    y: float
    width: float
    height: float
    middle: float


@dataclass(frozen=True)
class Chart:
    """Bars from the first day to the last, a place for each day, also where nothing happened."""

    bars: list[Bar]
    width: int
    height: int
    floor: int
    highest: int
    first: date
    last: date


def by_day(days: Sequence[Day]) -> Chart | None:
    """The chart of these days, oldest first; None where there are none."""
    if not days:
        return None
    first, last = days[0].day, days[-1].day
    step = WIDTH / ((last - first).days + 1)
    width = min(WIDEST, step * 0.8)
    highest = max(each.entries for each in days)
    bars = []
    for each in days:
        middle = step * ((each.day - first).days + 0.5)
        height = (HEIGHT - TOP) * each.entries / highest
        bars.append(
            Bar(
                day=each,
                x=round(middle - width / 2, 2),
                y=round(HEIGHT - height, 2),
                width=round(width, 2),
                height=round(height, 2),
                middle=round(middle, 2),
            )
        )
    return Chart(bars, WIDTH, HEIGHT + 1, HEIGHT, highest, first, last)
