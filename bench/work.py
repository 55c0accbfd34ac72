"""A thousand releases of 2,000 rows asked for at once: all answered, none twice, and two workers
answer 1.7 times as many as one.

Workers are started as in production, one hand each, told by a Redis of the benchmark's own; the beat
runs beside them. Needs PostgreSQL on loopback and redis-server; says so where they are missing.
Equality: every release has exactly one answer in the log, and every package is whole.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.databases import answers, postgresql
from bench.measure import verdict
from release.management.processes import command

RELEASES = int(os.environ.get("BENCH_RELEASES", "1000"))
ROWS = 2_000
RATIO = 1.7


def run(*, rows: int, repeat: int) -> bool:
    """`rows` and `repeat` are not used: how many releases are asked for says BENCH_RELEASES."""
    del rows, repeat
    server = shutil.which("redis-server")
    if server is None or not answers():
        print(json.dumps({"section": "work", "skipped": "needs PostgreSQL and redis-server"}))
        return True
    with (
        tempfile.TemporaryDirectory(prefix="bench-work-") as place,
        postgresql("sayso_bench_work") as database,
        redis(server) as broker,
    ):
        environment = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "SAYSO_DATA": f"{place}/data",
            "SAYSO_KEYS": f"{place}/keys",
            "SAYSO_ENGINE_SEATS": "2",
            "SAYSO_ENGINE_WORKERS": "1",
            "DATABASE_URL": database,
            "REDIS_URL": broker,
        }
        subprocess.run(
            [sys.executable, "-m", "bench.long_release_worker", "world", place, str(ROWS)],
            env=environment,
            check=True,
        )
        rate = {workers: _rate(workers, environment, Path(place)) for workers in (1, 2)}
    goal = "time of two workers over time of one, releases per second"
    return verdict("work", goal, round(rate[1] / rate[2], 3), round(1 / RATIO, 3))


def _rate(workers: int, environment: dict[str, str], place: Path) -> float:
    """Releases a second; none is lost and none answered twice."""
    _told("ask", environment, str(RELEASES))
    with (place / f"log-{workers}").open("wb") as log:
        running = [
            subprocess.Popen([*words], env=environment, stdout=log, stderr=log)
            for words in [
                command("beat", sys.executable),
                *(
                    [*command("worker", sys.executable), "--concurrency=1", f"--hostname=w{n}@%h"]
                    for n in range(workers)
                ),
            ]
        ]
        try:
            found = _told("watch", environment)
        finally:
            for one in running:
                one.terminate()
            for one in running:
                one.wait(timeout=60)
    checked = _told("check", environment)
    if checked["waiting"] or checked["not_once"]:
        raise AssertionError(f"lost or doubled: {checked}")
    line = {"workers": workers, "releases": RELEASES, **found, "load": os.getloadavg()[0]}
    print(json.dumps({"section": "work", **line, **checked}), flush=True)
    return float(found["a_second"])


def _told(deed: str, environment: dict[str, str], *given: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "bench.work_hands", deed, *given],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def redis(server: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port", str(port)]
    started = subprocess.Popen([server, *quiet], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        started.kill()
        started.wait()
