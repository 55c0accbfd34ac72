"""What is counted, for Prometheus: by door, route name and status class, never by person or path.

With several web processes each writes its own files in one folder (PROMETHEUS_MULTIPROC_DIR, set by
config/gunicorn.py), and whichever is asked adds them up.
"""

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from release.queries import figures

OWN = CollectorRegistry()
REQUESTS = Counter(
    "sayso_requests",
    "Requests answered, by door, method and class of status.",
    ["door", "method", "status"],
    registry=OWN,
)
SECONDS = Histogram(
    "sayso_request_seconds",
    "Seconds until the answer began, by route name.",
    ["route"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10),
    registry=OWN,
)
METHODS = frozenset(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])


def count(*, door: str, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    REQUESTS.labels(door, method, f"{status // 100}xx").inc()
    SECONDS.labels(route).observe(seconds)


class Standing(Collector):
    """What the tables say at this moment."""

    def collect(self) -> Iterator[Metric]:
        now = figures.figures()
        releases = GaugeMetricFamily("sayso_releases", "Releases, by state.", labels=["state"])
        for state, number in now.releases.items():
            releases.add_metric([state], number)
        yield releases
        queues = GaugeMetricFamily(
            "sayso_queue_words", "Words to workers that wait in Redis.", labels=["queue"]
        )
        for queue, number in now.queues.items():
            queues.add_metric([queue], number)
        yield queues
        yield from _witnesses(now)
        for name, words, value in (
            ("sayso_release_waiting_seconds", "Age of the oldest waiting release.", now.waits),
            ("sayso_log_entries_waiting", "Entries without a number yet.", now.entries_waiting),
            ("sayso_log_size", "Entries under the latest checkpoint.", now.log_size),
            ("sayso_clock_beat_age_seconds", "Since the clock's last beat; -1: never.", now.beat),
            (
                "sayso_worker_beat_age_seconds",
                "Since a worker last did what the beat asked for; -1: never.",
                now.worker_beat,
            ),
            ("sayso_disk_free_bytes", "Free where sealed parts lie.", now.disk_free),
        ):
            yield GaugeMetricFamily(name, words, value=value)


def _witnesses(now: figures.Figures) -> Iterator[Metric]:
    size = GaugeMetricFamily("sayso_witness_size", "Entries it has signed.", labels=["witness"])
    faults = GaugeMetricFamily(
        "sayso_witness_faults",
        "Answers that cannot be true, its fault or ours.",
        labels=["witness"],
    )
    for each in now.witnesses:
        size.add_metric([each.name], each.size)
        faults.add_metric([each.name], each.faults)
    yield from (size, faults)


def page() -> bytes:
    """Everything in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Standing())
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it ships no types here
    else:
        registry.register(OWN)
    return generate_latest(registry)
