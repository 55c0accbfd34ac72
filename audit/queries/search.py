"""Looking for entries of the log: by actor, thing, purpose, kind, answer, reason and time.

Newest first and by number, so that a page stays the same page however the log grows: what is
written later has a higher number, and an entry that waits for its number is not shown yet.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from audit.models import Entry
from audit.vocabulary import Decision, EntryType

FRIDAY = 5
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
    """The entries by day, oldest first; a working day goes from hour `opens` up to `closes`.

    Asked day by day, whose borders the index knows, and which holds all that is counted: the time of
    no entry is turned into the zone's (a million entries: migration 0011).
    """
    found = _found(replace(sought, since=None, until=None))
    first, last = sought.since, sought.until
    if first is None or last is None:
        there = found.aggregate(first=Min("time"), last=Max("time"))
        first, last = first or there["first"], last or there["last"]
    if first is None or last is None:
        return []
    told = []
    for each in _days(first, last, zone, opens, closes):
        within = Q(time__lt=last) if sought.until is not None else Q()
        counted = found.filter(within, time__gte=max(each.begins, first), time__lt=each.ends)
        row = counted.order_by().aggregate(
            entries=Count("seq"),
            refused=Count("seq", filter=Q(decision=Decision.REFUSED)),
            compelled=Count("seq", filter=Q(type=EntryType.RELEASE_COMPELLED)),
            late=Count("seq", filter=each.late),
        )
        if row["entries"]:
            numbers = (row[name] for name in ("entries", "refused", "compelled", "late"))
            told.append(Day(each.day, *numbers))
    return told


def deeds(
    types: Collection[str],
    since: datetime,
    until: datetime,
    *,
    zone: tzinfo,
    opens: int,
    closes: int,
) -> list[tuple[str, date, int, int, int]]:
    """For each actor and day: the entries of these types, the refused and the late among them; asked
    day by day, as `days` does."""
    rows: list[tuple[str, date, int, int, int]] = []
    for each in _days(since, until, zone, opens, closes):
        found = Entry.objects.filter(
            type__in=types, time__gte=max(each.begins, since), time__lt=each.ends, seq__isnull=False
        )
        counted = found.order_by("actor").values_list("actor")
        rows += [
            (actor, each.day, entries, refused, late)
            for actor, entries, refused, late in counted.annotate(
                entries=Count("seq"),
                refused=Count("seq", filter=Q(decision=Decision.REFUSED)),
                late=Count("seq", filter=each.late),
            )
        ]
    return rows


@dataclass(frozen=True)
class _Stretch:
    """One day of a place: when it begins and ends there, and what of it lies outside working hours."""

    day: date
    begins: datetime
    ends: datetime
    late: Q


def _days(
    first: datetime, last: datetime, zone: tzinfo, opens: int, closes: int
) -> Iterator[_Stretch]:
    day = first.astimezone(zone).date()

    def at(day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), tzinfo=zone)

    while day <= last.astimezone(zone).date():
        after = day + timedelta(days=1)
        late = Q(time__lt=at(day, opens)) | Q(time__gte=at(day, closes))
        if day.isoweekday() > FRIDAY:
            late = Q(seq__isnull=False)
        yield _Stretch(day, at(day, 0), at(after, 0), late)
        day = after


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
