"""How much of what there is: numbers about the installation, none about a person."""

from dataclasses import dataclass

from django.db.models import Count, Min

from audit import queries as log
from governance.queries import clock
from release.models import Release
from release.queries import readiness
from release.vocabulary import ReleaseState


@dataclass(frozen=True)
class Figures:
    """Counts, and ages in seconds; `beat` is -1 where the clock has never run."""

    releases: dict[str, int]
    waits: float
    entries_waiting: int
    log_size: int
    beat: float
    disk_free: int


def figures() -> Figures:
    now = clock.now()
    counts = dict(Release.objects.order_by().values_list("state").annotate(Count("pk")))
    oldest = Release.objects.filter(state=ReleaseState.WAITING).aggregate(at=Min("asked_at"))["at"]
    beat = readiness.last_beat()
    return Figures(
        releases={state: counts.get(state, 0) for state in ReleaseState.values},
        waits=(now - oldest).total_seconds() if oldest else 0.0,
        entries_waiting=log.waiting().entries,
        log_size=log.log_size(),
        beat=(now - beat.at).total_seconds() if beat else -1.0,
        disk_free=readiness.free_bytes(),
    )
