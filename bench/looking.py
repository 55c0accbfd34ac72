"""What an auditor's pages read out of a large log: `bench looking --rows 1000000`.

Days, hints, roles and a search, each as its deed does it, its own entry and signed head included. The
worst there is: the whole log lies within the three months that a page of days shows. Floor: the same
rows counted and nothing told of them. What the days and hints say must be what the log was made of.
"""

from bench import databases
from bench.measure import verdict

SECTION = "looking"
MOST_MS = 1000.0


def run(*, rows: int, repeat: int) -> bool:
    """`rows` entries, on PostgreSQL where it answers and on SQLite otherwise."""
    place = databases.postgresql("bench_looking") if databases.answers() else databases.sqlite()
    with place as address:
        databases.apart("bench.looking_worker", ["build", rows, repeat], address)
        told = databases.apart("bench.looking_worker", ["ask", rows, repeat], address)
    met = []
    for what in ("days", "hints", "roles", "search"):
        ours = told[what]["p50_ms"]
        print(f"{what}: {ours / told['floor']['p50_ms']:.2f} x the floor", flush=True)
        met.append(verdict(SECTION, f"{what}, median, ms", ours, MOST_MS))
    return all(met)
