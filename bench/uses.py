"""Which of a thousand releases held her record: `bench uses --rows 600000` (people of the holder).

Floor: the same rows by the same index, every bit of them read and looked at in Python; it must find
the same releases. Beside it what a page of her list takes, which reads no more than its own lines.
"""

from bench import databases
from bench.measure import verdict

SECTION = "uses"
RELEASES = 1000


def run(*, rows: int, repeat: int) -> bool:
    """A holder of `rows` people, `RELEASES` releases, on both databases where both are here."""
    met = []
    places = [databases.sqlite()]
    if databases.answers():
        places.append(databases.postgresql("bench_uses"))
    for place in places:
        with place as address:
            told = databases.apart("bench.uses_worker", [rows, RELEASES, repeat], address)
        met.append(
            verdict(
                SECTION,
                f"which of {RELEASES} releases held her, {told['database']}, median, ms",
                told["containing"]["p50_ms"],
                20.0,
            )
        )
    return all(met)
