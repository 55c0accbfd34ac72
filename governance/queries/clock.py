"""The database's own clock: one clock for all processes, read after a lock, never before it."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

# PostgreSQL's `clock_timestamp()` as a whole number of microseconds, for a statement that reads more.
MICROSECONDS = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def read(microseconds: int) -> datetime:
    """The instant that `MICROSECONDS` gave."""
    return FIRST + timedelta(microseconds=microseconds)


def now() -> datetime:
    """This very instant (UTC). On PostgreSQL `clock_timestamp()`, since `now()` is the
    transaction's start and can be older than a lock it waited for."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found.astimezone(UTC)
