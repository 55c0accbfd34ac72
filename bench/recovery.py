"""How long until all is well again after `kill -9` of any one process, in the middle of a release.

The processes are those of production, started again by a service manager as slow as the units' own.
Well again: the web answers, a worker of the clock was seen since, and what was asked for right before
the kill is answered and numbered. Needs PostgreSQL on loopback and redis-server; says so where they
are missing. Equality: no release is lost and none answered twice.
"""

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any

from bench.databases import answers, postgresql
from bench.measure import verdict
from bench.work import ROWS, redis
from release.management.processes import command

MOST = 10.0  # seconds
RESTART = 2.0  # RestartSec of deploy/systemd
PATIENCE = 120.0
# Together they are an installation: with workers, and without a broker.
SETS = (("web", "sequencer", "worker", "beat"), ("web", "sequencer", "clock"))


class Site:
    """Some processes, each started again when it ends, and hands in their database."""

    def __init__(self, names: tuple[str, ...], environment: dict[str, str]) -> None:
        self.environment = environment
        self.running = {name: self._start(name) for name in names}
        self.hands = subprocess.Popen(
            [sys.executable, "-m", "bench.recovery_hands"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with open(os.devnull, "wb") as nowhere:
            return subprocess.Popen(
                command(name, sys.executable),
                env=self.environment,
                stdout=nowhere,
                stderr=nowhere,
                start_new_session=True,
            )

    def do(self, deed: str) -> Any:
        told, heard = self.hands.stdin, self.hands.stdout
        if told is None or heard is None:
            raise RuntimeError("the hands have no pipes")
        told.write(f"{deed}\n")
        told.flush()
        return json.loads(heard.readline())

    def killed(self, name: str) -> float:
        """Seconds from the kill until all is well."""
        self.do("ask")
        since, began = self.do("standing")["now"], time.perf_counter()
        self.running[name].kill()
        again = False
        while time.perf_counter() - began < PATIENCE:
            if not again and time.perf_counter() - began >= RESTART:
                self._clear(name)  # what it forked goes with it, as in a unit
                self.running[name], again = self._start(name), True
            if again and self._well(since):
                return time.perf_counter() - began
            time.sleep(0.05)
        raise RuntimeError(f"{name} was killed, and nothing was well again")

    def _well(self, since: float) -> bool:
        with suppress(urllib.error.URLError, ConnectionError):
            address = f"http://{self.environment['SAYSO_BIND']}/healthz"
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                told = self.do("standing")
                done = not told["waiting"] and not told["unnumbered"] and told["beat"] > since
                return done and answer.read() == b"alive\n"
        return False

    def until_well(self) -> None:
        began, since = time.perf_counter(), self.do("standing")["now"]
        while not self._well(since):
            if time.perf_counter() - began > PATIENCE:
                raise RuntimeError("it was never well")
            time.sleep(0.05)

    def _clear(self, name: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()

    def end(self) -> None:
        for name in self.running:
            self._clear(name)
        self.hands.kill()
        with self.hands:
            pass


def run(*, rows: int, repeat: int) -> bool:
    """`rows` plays no part; each process of each set is killed `repeat` times."""
    del rows
    server = shutil.which("redis-server")
    if server is None or not answers():
        print(json.dumps({"section": "recovery", "skipped": "needs PostgreSQL and redis-server"}))
        return True
    with (
        tempfile.TemporaryDirectory(prefix="bench-recovery-") as place,
        postgresql("sayso_bench_recovery") as database,
        redis(server) as broker,
        socket.socket() as free,
    ):
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "SAYSO_DATA": f"{place}/data",
            "SAYSO_KEYS": f"{place}/keys",
            "SAYSO_METRICS": f"{place}/metrics",
            "SAYSO_BIND": f"127.0.0.1:{port}",
            "SAYSO_WEB_WORKERS": "1",
            "DATABASE_URL": database,
            "REDIS_URL": broker,
        }
        subprocess.run(
            [sys.executable, "-m", "bench.long_release_worker", "world", place, str(ROWS)],
            env=environment,
            check=True,
        )
        good = [_measured(names, environment, repeat) for names in SETS]
    return all(good)


def _measured(names: tuple[str, ...], environment: dict[str, str], repeat: int) -> bool:
    site, took = Site(names, environment), {name: [] for name in names}
    try:
        site.until_well()
        for _ in range(repeat):
            for name in names:
                took[name].append(site.killed(name))
                line = {"killed": name, "of": names, "seconds": round(took[name][-1], 2)}
                load = os.getloadavg()[0]
                print(json.dumps({"section": "recovery", **line, "load": load}), flush=True)
        checked = site.do("check")
        if checked["waiting"] or checked["not_once"]:
            raise AssertionError(f"lost or doubled: {checked}")
    finally:
        site.end()
    goal = "seconds until all is well after kill -9 of {}"
    found = {name: round(statistics.median(seconds), 2) for name, seconds in took.items()}
    met = [verdict("recovery", goal.format(name), ours, MOST) for name, ours in found.items()]
    return all(met)  # each is told, also after one that was missed
