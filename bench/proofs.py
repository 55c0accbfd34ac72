"""Proofs out of a large log, and the whole of it checked: `bench proofs --rows 1000000`.

Floors: one row by its number for a proof, every leaf read once and thrown away for a whole log. Each
proof that is timed is also checked; a root that is not the signed one fails.
"""

from typing import Any

from bench import databases
from bench.measure import verdict

SECTION = "proofs"


def run(*, rows: int, repeat: int) -> bool:
    """`rows` entries, on PostgreSQL where it answers and on SQLite otherwise."""
    met = []
    place = databases.postgresql("bench_proofs") if databases.answers() else databases.sqlite()
    with place as address:
        ask(address, "build", rows)
        told = ask(address, "proofs", rows)
        met += [
            verdict(SECTION, f"{what} proof, median, ms", told[what]["p50_ms"], 5.0)
            for what in ("inclusion", "consistency")
        ]
        floor = ask(address, "floor", rows)
        for what, most in (("root", 10.0), ("full", 60.0)):
            found = ask(address, what, rows)
            print(f"{what}: {found['seconds'] / floor['seconds']:.2f} x the floor", flush=True)
            share = rows / 1_000_000
            met.append(verdict(SECTION, f"verify_log {what}, s", found["seconds"], most * share))
            met.append(verdict(SECTION, f"verify_log {what}, MB", found["peak_mb"], 200.0))
    return all(met)


def ask(address: str, what: str, rows: int) -> Any:
    return databases.apart("bench.proofs_worker", [what, rows], address)
