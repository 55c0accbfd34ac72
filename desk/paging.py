"""Long lists, page by page: the latest first, each page below the last row of the one before."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

LARGEST = 2**62  # below what a database can number
PAGE = 50
M = TypeVar("M", bound=Model)


def number(sent: str) -> int | None:
    """A number as an address holds it; anything else is none, and stands for the latest."""
    plain = sent.isascii() and sent.isdigit() and len(sent) < 20
    return int(sent) if plain and int(sent) < LARGEST else None


def place(sent: str) -> tuple[int, int] | None:
    """Where a page of a list in two parts ended: in which part, and at which row; else the beginning."""
    part, _dash, row = sent.partition("-")
    end = number(row)
    return (int(part), end) if part in {"0", "1"} and end is not None else None


def page(found: QuerySet[M], request: HttpRequest) -> tuple[list[M], int | None]:
    """The rows of this page of a list that stands latest first, and below which row the next begins."""
    before = number(request.GET.get("before", ""))
    rows = list((found if before is None else found.filter(pk__lt=before))[: PAGE + 1])
    return rows[:PAGE], (rows[PAGE - 1].pk if len(rows) > PAGE else None)
