"""Ends of things that had no end."""

from datetime import datetime, timedelta

SHORTEST = timedelta(microseconds=1)


def closing(started: datetime, at: datetime) -> datetime:
    """The end of what stops at `at`: never before it began, whatever the clocks said."""
    return max(at, started + SHORTEST)
