"""Every fault run many times, and every race in its long form, on SQLite and on a PostgreSQL of its own.

A number that is set in the environment is taken instead: `RACE_NOES=100 make faults`.
"""

import os
import sys
import time

from scripts.test import FAULTS, NO_POSTGRESQL, Missing, postgresql, run, summary

LONG = {
    "TESTS_LENGTH": "long",
    "FAULT_RUNS": "20",
    "RACE_NOES": "1000",
    "RACE_PERMITS": "100000",
    "RACE_SECONDS": "7000",
}
TOLD = ("-rP", "-p", "no:cacheprovider")
RACES = ("tests/stateful", "tests/faults", "-m", "not faults", *TOLD)


def main() -> int:
    for name, number in LONG.items():
        os.environ.setdefault(name, number)
    started = time.monotonic()
    missing: list[Missing] = []
    passes = [run(FAULTS, "tests/faults", "-m", "faults", *TOLD), run("SQLite", *RACES)]
    with postgresql() as address:
        if address:
            passes.append(run("PostgreSQL", *RACES, database=address))
        else:
            missing.append(NO_POSTGRESQL)
    everything = "tests/integration/test_api_everything.py"
    passes.append(run("addresses", everything, "-s", "-p", "no:cacheprovider"))
    return summary(passes, missing, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
