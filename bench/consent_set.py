"""The consent set of one ask, read in columns, against the server's own count of the same rows.

Goal: ≤ 2.5× the count on PostgreSQL: everybody with a yes in force, what it covers and up to which
record, and every objection. Beside it, informative: the same with the grounds of all others, as a
release gathers it, and both on SQLite. Equality: as many people as the server counts, and person by
person what `consent.rules.standing` says of each row read one by one.
"""

import json

from bench import databases
from bench.measure import verdict

TIMED = "bench.consent_set_timed"
SQLITE_ROWS = 1_000_000


def run(*, rows: int, repeat: int) -> bool:
    """Measure at `rows` consent rows (5 purposes for each person); True where the goal is met."""
    with databases.sqlite() as address:
        databases.apart(TIMED, [min(rows, SQLITE_ROWS) // 5, repeat], address)
    if not databases.answers():
        print(json.dumps({"section": "consent_set", "skipped": "no PostgreSQL on loopback"}))
        return True
    with databases.postgresql("sayso_bench_sets") as address:
        found = databases.apart(TIMED, [rows // 5, repeat], address)
    return verdict(f"consent_set {rows:,} rows", "times the server's count", found["ratio"], 2.5)
