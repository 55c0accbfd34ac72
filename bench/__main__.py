"""Runs the sections named on the command line; all of them, small, when none is named."""

import argparse
import sys

from bench import (
    consent_set,
    decision,
    http,
    ingest,
    log,
    long_release,
    looking,
    proofs,
    recovery,
    release,
    start,
    strangers,
    uses,
    withdrawal,
    work,
)

SECTIONS = {
    "release": release.run,
    "consent_set": consent_set.run,
    "decision": decision.run,
    "withdrawal": withdrawal.run,
    "long_release": long_release.run,
    "ingest": ingest.run,
    "start": start.run,
    "recovery": recovery.run,
    "http": http.run,
    "log": log.run,
    "work": work.run,
    "proofs": proofs.run,
    "uses": uses.run,
    "looking": looking.run,
    "strangers": strangers.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("sections", nargs="*", help=", ".join(SECTIONS))
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the dataset")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument(
        "--strict", action="store_true", help="a missed goal fails too, not only a wrong output"
    )
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    good = [
        SECTIONS[name](rows=options.rows, repeat=options.repeat)
        for name in options.sections or SECTIONS
    ]
    return 0 if all(good) or not options.strict else 1


if __name__ == "__main__":
    sys.exit(main())
