"""The database's own clock: one clock for all processes, read after a lock, never before it."""

from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """This very instant (UTC). On PostgreSQL `clock_timestamp()`, since `now()` is the
    transaction's start and can be older than a lock it waited for."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found.astimezone(UTC)
