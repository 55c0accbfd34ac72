"""How often anybody was in a package, without telling who."""

from datetime import datetime

import numpy as np

from release.models import ReleasePart
from release.rules.packed import unpack
from release.vocabulary import ReleaseState

CHUNK = 20  # parts at once: each holds the slots of up to 50,000 people


def most_often(since: datetime, until: datetime) -> dict[str, int]:
    """By each holder's reference: the most packages that any one of its people was in, of those
    prepared within [since, until)."""
    parts = ReleasePart.objects.filter(
        release__state=ReleaseState.PREPARED,
        release__answered_at__gte=since,
        release__answered_at__lt=until,
    ).order_by("release__holder", "pk")
    found: dict[str, int] = {}
    counts, of = np.zeros(0, dtype=np.int32), ""
    for holder, packed in parts.values_list("release__holder__ref", "slots").iterator(CHUNK):
        if holder != of:
            counts, of = np.zeros(0, dtype=np.int32), holder
        slots = unpack(packed)
        if not len(slots):
            continue
        if slots[-1] >= len(counts):
            counts = np.pad(counts, (0, int(slots[-1]) + 1 - len(counts)))
        counts[slots] += 1  # a person is in one part of a package
        found[holder] = max(found.get(holder, 0), int(counts[slots].max()))
    return found
