"""The log under load: decisions written by eight at once, and a backlog numbered by one.

`decisions`: eight processes ask about one client after another in process (release.actions.
inquiries.answer), the sequencer beside them; PostgreSQL with fsync and synchronous_commit on, each
under its own role. Goals: 500 a second, p99 100 ms, and 250 ms p99 from an entry's commit until it is
seen under a checkpoint. Equality: as many inquiries and entries as answers, each numbered once.

`backlog`: entries that wait, numbered by one sequencer in a process of its own. Goal: 10,000 a second.
Equality: all of them are numbered, and the stored head is the signed one.
"""

import json
import os
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import databases
from bench.measure import verdict

DATABASE = "sayso_bench_log"
WRITERS = 8
SECONDS = 15
BACKLOG = 40_000


@dataclass(frozen=True)
class World:
    """The demonstration's world in a database of its own: the environment of each role."""

    owner: dict[str, str]
    app: dict[str, str]
    sequencer: dict[str, str]
    told: dict[str, Any]


def run(*, rows: int, repeat: int) -> bool:
    """`rows` and `repeat` are not used: the world is the demonstration's, the time is fixed."""
    del rows, repeat
    if not databases.answers():
        print(json.dumps({"section": "log", "skipped": "no PostgreSQL on loopback"}))
        return True
    with (
        tempfile.TemporaryDirectory(prefix="bench-log-") as place,
        databases.postgresql(DATABASE) as address,
    ):
        owner = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "DATABASE_URL": address,
            "SAYSO_DATA": f"{place}/data",
            "SAYSO_KEYS": f"{place}/keys",
        }
        told = _ended(_begun(owner, "world", place))
        with databases.roles(address, "bench_log") as of:
            app, sequencer = ({**owner, "DATABASE_URL": of(each)} for each in ("app", "sequencer"))
            world = World(owner, app, sequencer, told)
            good = [each for measure in MEASURES.values() for each in measure(world)]
            return all(good)


def decisions(world: World) -> list[bool]:
    before = _ended(_begun(world.owner, "counts"))
    quiet = subprocess.DEVNULL
    numbering = subprocess.Popen(
        [sys.executable, "manage.py", "sequencer"], env=world.sequencer, stdout=quiet, stderr=quiet
    )
    watching = _begun(world.owner, "watch", SECONDS + 20)
    try:
        request, numbers = world.told["request"], world.told["numbers"]
        writers = [_begun(world.app, "writer", SECONDS, request, numbers) for _ in range(WRITERS)]
        found = [_ended(writer) for writer in writers]
        heads = _ended(watching)["heads"]
    finally:
        numbering.terminate()
        numbering.wait(timeout=30)
    after = _ended(_begun(world.owner, "counts"))
    answers = sum(len(each["took"]) for each in found)
    left = {name: after[name] - before[name] for name in ("inquiries", "entries", "numbered")}
    if set(left.values()) != {answers} or after["doubled"]:
        raise AssertionError(f"{answers} answers left {left}")
    took = sorted(ms for each in found for ms in each["took"])
    lag = _lags(_ended(_begun(world.owner, "numbers", world.told["folder"])), heads)
    between = 1000 * max(each["seconds"] for each in found) / answers
    figures = {
        "section": "log",
        "measure": "decisions",
        "answers": answers,
        "permits": sum(each["permits"] for each in found),
        "a_second": round(1000 / between, 1),
        "p50_ms": round(took[len(took) // 2], 1),
        "p99_ms": round(took[int(len(took) * 0.99)], 1),
        "lag_p50_ms": round(lag[len(lag) // 2], 1),
        "lag_p99_ms": round(lag[int(len(lag) * 0.99)], 1),
        "cpu_ms_of_a_writer": round(sum(each["cpu_ms"] for each in found) / answers, 2),
        "fsync": found[0]["fsync"],
        "synchronous_commit": found[0]["synchronous_commit"],
        "load": os.getloadavg()[0],
    }
    print(json.dumps(figures), flush=True)
    if (figures["fsync"], figures["synchronous_commit"]) != ("on", "on"):
        raise AssertionError("what is acknowledged must be on the disk")
    return [
        verdict("log", "milliseconds between decisions, 8 writers", between, 1000 / 500),
        verdict("log", "p99 ms of a decision", figures["p99_ms"], 100.0),
        verdict("log", "p99 ms until numbered", figures["lag_p99_ms"], 250.0),
    ]


def backlog(world: World) -> list[bool]:
    _ended(_begun(world.owner, "pile", BACKLOG))
    found = _ended(_begun(world.sequencer, "number"))
    print(json.dumps({"section": "log", "measure": "backlog", **found}), flush=True)
    if found["numbered"] < BACKLOG or _ended(_begun(world.owner, "counts"))["waiting"]:
        raise AssertionError("something waits still")
    each = found["seconds"] / found["numbered"] * 1e6
    return [verdict("log", "microseconds to number one of a backlog", each, 100.0)]


MEASURES: Mapping[str, Callable[[World], list[bool]]] = {
    "decisions": decisions,
    "backlog": backlog,
}


def _lags(numbers: dict[str, Any], heads: list[list[float]]) -> list[float]:
    """Milliseconds from each commit until a head over it was seen."""
    sizes = [int(size) for _, size in heads]
    found = []
    for committed, seq in numbers["committed"]:
        at = bisect_left(sizes, seq + 1)
        if at == len(sizes):
            raise AssertionError("an entry was not numbered in time")
        found.append((heads[at][0] - committed) * 1000)
    return sorted(found)


def _begun(environment: dict[str, str], *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.log_worker", *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    told, _ = process.communicate(timeout=900)
    if process.returncode:
        raise RuntimeError("a process of the benchmark failed; its error stands above")
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found
