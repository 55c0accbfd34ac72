"""Whether time tells what a page does not: `bench strangers`.

What is somebody else's against what is nowhere, and a known name against an unknown one, asked in turn
many times at a few pages of both doors. Ours is the ratio of the two medians, whichever way round. The
answers themselves are compared by tests; here the two must have the same status.
"""

from bench import databases
from bench.measure import verdict

SECTION = "strangers"
MOST = 1.10
PEOPLE = 2_000


def run(*, rows: int, repeat: int) -> bool:
    """`repeat` times twenty pairs of tries a page; the people are few: a page asks by index."""
    place = databases.postgresql("bench_strangers") if databases.answers() else databases.sqlite()
    with place as address:
        told = databases.apart("bench.strangers_worker", [PEOPLE, repeat * 20], address)
    met = [
        verdict(SECTION, f"{name}, ratio of medians", round(pair["ratio"], 3), MOST)
        for name, pair in told["pages"].items()
    ]
    return all(met)
