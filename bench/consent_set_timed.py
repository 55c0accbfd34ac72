"""The timed half of bench/consent_set.py: a process of its own, on the filled database."""

import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402 - Django must be set up first

from consent.queries.sets import CLAUSES, consent_sets  # noqa: E402
from consent.rules import Ask  # noqa: E402


def timed(turns: int) -> None:
    """Time both on the filled database and print one JSON line."""
    now = datetime.now(UTC)
    until = now + timedelta(minutes=2)
    where = " AND ".join([*CLAUSES.asked.values(), *CLAUSES.in_force.values()])
    values = {"holder": 1, "recipient": 2, "purpose": 1, "since": now, "until": until}
    ratios, counts, ours = [], [], []
    for _ in range(turns + 1):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM consent_consent WHERE {where}", values)
            expected = cursor.fetchone()[0]
        middle = time.perf_counter()
        sets = consent_sets(holder=1, ask=Ask(2, "research", 1), since=now, until=until)
        ended = time.perf_counter()
        if sum(len(yes.slots) for yes in sets.yeses) != expected:
            raise AssertionError("the set is not what the server counts")
        counts.append(middle - began)
        ours.append(ended - middle)
        ratios.append((ended - middle) / (middle - began))
    print(
        json.dumps(
            {
                "section": "consent_set",
                "in_force": expected,
                "count_s": round(statistics.median(counts[1:]), 4),
                "ours_s": round(statistics.median(ours[1:]), 4),
                "ratio": round(statistics.median(ratios[1:]), 3),
                "spread": [round(min(ratios[1:]), 3), round(max(ratios[1:]), 3)],
            }
        )
    )


if __name__ == "__main__":
    timed(int(sys.argv[1]))
