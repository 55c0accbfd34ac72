"""Looking for entries of the log: by actor, thing, purpose, kind, answer, reason and time.

Newest first and by number, so that a page stays the same page however the log grows: what is
written later has a higher number, and an entry that waits for its number is not shown yet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncDate

from audit.models import Entry
from audit.vocabulary import Decision, EntryType

COLUMNS = ("seq", "type", "time", "actor", "via", "purpose", "resource", "decision", "reason")


@dataclass(frozen=True)
class Group:
    """Entries by any of these actors, or about any of these things."""

    actors: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sought:
    """Which entries somebody looks for: those of every group; what is empty is not asked about."""

    groups: tuple[Group, ...] = ()
    actor: str = ""
    purpose: str = ""
    type: str = ""
    decision: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Row:
    """One entry as a list shows it."""

    seq: int
    type: str
    time: datetime
    actor: str
    via: str
    purpose: str
    resource: str
    decision: str
    reason: str


@dataclass(frozen=True)
class Day:
    """How many entries one day has, and how many of them are of which kind."""

    day: date
    entries: int
    refused: int
    compelled: int
    off_hours: int


def page(sought: Sought, *, before: int | None, most: int) -> list[Row]:
    """Up to `most` entries below the number `before`, the highest number first."""
    found = _found(sought)
    if before is not None:
        found = found.filter(seq__lt=before)
    # Of groups the database believes that they are everywhere, and would read backwards through the
    # whole log to find a rare one: `+ 0` makes it take their own indexes (1M entries: 641 to 1 ms).
    order = (F("seq") + 0).desc() if sought.groups else F("seq").desc()
    return [Row(*row) for row in found.order_by(order).values_list(*COLUMNS)[:most]]


def days(sought: Sought, *, zone: tzinfo, opens: int, closes: int) -> list[Day]:
    """The entries by day, oldest first; a working day goes from hour `opens` up to `closes`."""
    hour, weekday = ExtractHour("time", tzinfo=zone), ExtractIsoWeekDay("time", tzinfo=zone)
    found = (
        _found(sought)
        .annotate(day=TruncDate("time", tzinfo=zone), hour=hour, weekday=weekday)
        .order_by()
    )
    late = Q(weekday__gt=5) | Q(hour__lt=opens) | Q(hour__gte=closes)
    counted = found.values("day").annotate(
        entries=Count("pk"),
        refused=Count("pk", filter=Q(decision=Decision.REFUSED)),
        compelled=Count("pk", filter=Q(type=EntryType.RELEASE_COMPELLED)),
        late=Count("pk", filter=late),
    )
    return [
        Day(row["day"], row["entries"], row["refused"], row["compelled"], row["late"])
        for row in counted.order_by("day")
    ]


def deeds(
    types: Collection[str], since: datetime, *, zone: tzinfo, opens: int, closes: int
) -> list[tuple[str, date, int, int, int]]:
    """For each actor and day: the entries of these types, the refused and the late among them."""
    hour, weekday = ExtractHour("time", tzinfo=zone), ExtractIsoWeekDay("time", tzinfo=zone)
    late = Q(weekday__gt=5) | Q(hour__lt=opens) | Q(hour__gte=closes)
    found = Entry.objects.filter(type__in=types, time__gte=since, seq__isnull=False)
    counted = (
        found.annotate(day=TruncDate("time", tzinfo=zone), hour=hour, weekday=weekday)
        .values("actor", "day")
        .annotate(
            entries=Count("pk"),
            refused=Count("pk", filter=Q(decision=Decision.REFUSED)),
            late=Count("pk", filter=late),
        )
        .order_by("actor", "day")
    )
    return [
        (row["actor"], row["day"], row["entries"], row["refused"], row["late"]) for row in counted
    ]


def last_deed(of: str) -> Subquery:
    """When whoever this column of another query names last did something that the log tells; nothing
    for who never did. One look into an index for each, however much they did."""
    theirs = Entry.objects.filter(actor=OuterRef(of), seq__isnull=False)
    return Subquery(theirs.order_by("-seq").values("time")[:1])


def neighbours(resource: str, *, but: int, most: int) -> list[Row]:
    """Other numbered entries about the same thing, the newest first."""
    found = Entry.objects.filter(resource=resource, seq__isnull=False).exclude(seq=but)
    return [Row(*row) for row in found.order_by("-seq").values_list(*COLUMNS)[:most]]


def _found(sought: Sought) -> QuerySet[Entry]:
    found = Entry.objects.filter(seq__isnull=False)
    for group in sought.groups:
        found = found.filter(Q(actor__in=group.actors) | Q(resource__in=group.resources))
    for column in ("actor", "purpose", "type", "decision", "reason"):
        if wanted := getattr(sought, column):
            found = found.filter(**{column: wanted})
    return _within(found, sought)


def _within(found: QuerySet[Entry], sought: Sought) -> QuerySet[Entry]:
    """Only what lies within the time. With an end its numbers are looked up first: the database
    would otherwise read backwards from the newest entry through all that came later."""
    times = Q()
    if sought.since is not None:
        times &= Q(time__gte=sought.since)
    if sought.until is None:
        return found.filter(times)
    times &= Q(time__lt=sought.until)
    # `+ 0`: it would look for the lowest number in the order of numbers, by time it is at hand.
    border = Entry.objects.filter(times, seq__isnull=False).aggregate(
        lowest=Min(F("seq") + 0), highest=Max(F("seq") + 0)
    )
    if border["lowest"] is None:
        return found.none()
    return found.filter(times, seq__range=(border["lowest"], border["highest"]))
