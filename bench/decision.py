"""One decision about one person against `select 1` through the same Django connection.

Goal: ≤ 2.5× on SQLite and PostgreSQL, membership, request, agreement and objections included, beside
250,000 consents, 1,000 objections, 60 agreements and 120 requests. Equality: for a thousand people
the answer is what a whole release says of each.
"""

import json

from bench import databases
from bench.measure import verdict

TIMED = "bench.decision_timed"
RUNS = 1000


def run(*, rows: int, repeat: int) -> bool:
    """`rows` is not used: the world has its own size. `repeat` thousand pairs are timed."""
    del rows
    with databases.sqlite() as address:
        good = [_met(databases.apart(TIMED, [repeat * RUNS], address))]
    if not databases.answers():
        print(json.dumps({"section": "decision", "skipped": "no PostgreSQL on loopback"}))
        return all(good)
    with databases.postgresql("sayso_bench_decision") as address:
        good.append(_met(databases.apart(TIMED, [repeat * RUNS], address)))
    return all(good)


def _met(found: dict) -> bool:
    return verdict(f"decision, {found['database']}", "times select 1", found["ratio"], 2.5)
