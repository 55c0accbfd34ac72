"""How much of what there is: numbers about the installation, none about a person."""

from dataclasses import dataclass

from django.db.models import Count, Min

from audit import queries as log
from governance.queries import clock
from release import broker
from release.models import Release
from release.queries import readiness
from release.vocabulary import ReleaseState


@dataclass(frozen=True)
class Figures:
    """Counts, and ages in seconds; -1 where the clock or a worker has never run.

    `queues`: words that wait for a worker; empty where there is no Redis or it does not answer.
    """

    releases: dict[str, int]
    waits: float
    entries_waiting: int
    log_size: int
    beat: float
    worker_beat: float
    queues: dict[str, int]
    disk_free: int
    witnesses: list[log.Standing]


def figures() -> Figures:
    now = clock.now()
    counts = dict(Release.objects.order_by().values_list("state").annotate(Count("pk")))
    oldest = Release.objects.filter(state=ReleaseState.WAITING).aggregate(at=Min("asked_at"))["at"]

    def age(kind: str = "") -> float:
        beat = readiness.last_beat(kind)
        return (now - beat.at).total_seconds() if beat else -1.0

    return Figures(
        releases={state: counts.get(state, 0) for state in ReleaseState.values},
        waits=(now - oldest).total_seconds() if oldest else 0.0,
        entries_waiting=log.waiting().entries,
        log_size=log.log_size(),
        beat=age(),
        worker_beat=age(readiness.WORKER),
        queues=broker.lengths() or {},
        disk_free=readiness.free_bytes(),
        witnesses=log.standings(),
    )
