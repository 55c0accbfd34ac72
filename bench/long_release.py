"""One long release while ten people a second say no: it must end, without any of them.

Goal: a release of 10 million rows is prepared (not refused, not begun anew for ever) with nobody
left out only because it was long. Runs on PostgreSQL where it answers on loopback. Equality: nobody
whose no was acknowledged before the commit is inside.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import databases
from bench.measure import verdict

DATABASE = "sayso_bench_long"


def run(*, rows: int, repeat: int) -> bool:
    """`repeat` is not used: one release, as long as it takes."""
    del repeat
    if not databases.answers():
        print(json.dumps({"section": "long_release", "skipped": "no PostgreSQL on loopback"}))
        return True
    folder = Path(tempfile.mkdtemp(prefix="bench-long-"))
    try:
        with databases.postgresql(DATABASE) as address:
            return _measured(rows, folder, address)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(rows: int, folder: Path, address: str) -> bool:
    environment = {
        **os.environ,
        "SAYSO_DEMO": "1",
        "DATABASE_URL": address,
        "SAYSO_DATA": str(folder / "data"),
        "SAYSO_KEYS": str(folder / "keys"),
    }
    worker = [sys.executable, "-m", "bench.long_release_worker"]
    subprocess.run([*worker, "world", str(folder), str(rows)], env=environment, check=True)
    saying = subprocess.Popen(
        [*worker, "sayer"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        done = subprocess.run(
            [*worker, "release"], env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    finally:
        said, _ = saying.communicate("\n", timeout=120)  # a line ends it
    print(said, done.stdout, sep="", end="")
    noes, found = json.loads(said), json.loads(done.stdout)
    if found["bad"]:
        raise AssertionError("somebody is inside whose no was acknowledged before the commit")
    name = f"long_release {rows:,} rows, {noes['a_second']} noes a second"
    return all(
        [
            verdict(name, "prepared, not refused", float(found["state"] != "prepared"), 0.0),
            verdict(name, "people left out because it was long", float(found["left_out"]), 0.0),
            verdict(name, "a no waits, p99 ms", noes["p99_ms"], 500.0),
        ]
    )
