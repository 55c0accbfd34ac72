"""Days and hours as people here count them: by the deployment's own time zone (SAYSO_TIME_ZONE).

What is stored, signed and told to machines is an instant, in UTC.
"""

from datetime import UTC, date, datetime, time

from django.utils import timezone


def begins(day: date) -> datetime:
    """The instant at which this day begins here, in UTC. A day may have 23 or 25 hours."""
    here = timezone.get_default_timezone()
    return datetime.combine(day, time.min, tzinfo=here).astimezone(UTC)


def here(moment: datetime) -> datetime:
    """The same instant as the clocks here show it."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def day_of(moment: datetime) -> date:
    """The day that it is here at this instant."""
    return here(moment).date()
