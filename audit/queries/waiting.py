"""What waits for its number."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from audit.models import Entry


@dataclass(frozen=True)
class Waiting:
    """How many entries wait, and since when the oldest does."""

    entries: int
    since: datetime | None


def waiting() -> Waiting:
    found = Entry.objects.filter(seq__isnull=True).aggregate(entries=Count("pk"), since=Min("time"))
    return Waiting(found["entries"], found["since"])
