"""One decision through the machines' door, beside a bare view that asks the same authentication.

The decision is the hand-over of a manifest: an OAuth token is looked up, role and scope are asked,
the whole question is decided again under the locks, a Download and its entry are committed, and the
entry stands under a signed checkpoint before the first byte. The floor is a view of the same
framework with the same token, role, scope and throttle that answers a constant. gunicorn gthread on
loopback, two workers of four threads, the sequencer beside them. Goals: 150 decisions a second, p99
300 ms, 2.5 times the floor's CPU. Equality: each decision left one Download and one entry.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg

from bench.consent_set import ADDRESS
from bench.measure import verdict

DATABASE = "sayso_bench_http"
SECONDS = 10
CALLERS = 8
WORKERS = 2
THREADS = 4


def run(*, rows: int, repeat: int) -> bool:
    """`rows` and `repeat` are not used: the world is the demonstration's, the time is fixed."""
    del rows, repeat
    with tempfile.TemporaryDirectory(prefix="bench-http-") as place, _database(place) as address:
        environment = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "DATABASE_URL": address,
            "SAYSO_DATA": f"{place}/data",
            "SAYSO_KEYS": f"{place}/keys",
        }
        made = _worker(environment, "world", place)
        with _serving(environment) as port:
            _measured(port, "/bench/bare/", made["token"], seconds=2)  # warm
            floor = _measured(port, "/bench/bare/", made["token"])
            path = f"/api/releases/{made['release']}/manifest/"
            _measured(port, path, made["token"], seconds=2)
            before = _worker(environment, "counts")
            ours = _measured(port, path, made["token"])
            after = _worker(environment, "counts")
    left = {name: after[name] - before[name] for name in before}
    if not left["downloads"] == left["entries"] == ours["answers"]:
        raise AssertionError(f"{ours['answers']} decisions left {left}")
    for name, found in (("bare view", floor), ("decision", ours)):
        print(json.dumps({"section": "http", "variant": name, **found}), flush=True)
    vendor = address.split(":")[0]
    ratio = round(ours["cpu_ms"] / floor["cpu_ms"], 2)
    good = [
        verdict(
            f"http, {vendor}", "milliseconds between decisions", 1000 / ours["a_second"], 1000 / 150
        ),
        verdict(f"http, {vendor}", "p99 ms of a decision", ours["p99_ms"], 300.0),
        verdict(f"http, {vendor}", "CPU of a decision, times a bare view's", ratio, 2.5),
    ]
    return all(good)


@contextmanager
def _database(place: str) -> Iterator[str]:
    """PostgreSQL where it answers on loopback, else SQLite in the folder."""
    try:
        admin = psycopg.connect(f"{ADDRESS}/postgres", connect_timeout=2, autocommit=True)
    except psycopg.OperationalError:
        yield f"sqlite:///{place}/http.sqlite3"
        return
    with admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        admin.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield f"{ADDRESS}/{DATABASE}"
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _worker(environment: dict[str, str], *words: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.http_worker", *words],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    web = (
        f"gunicorn bench.http_wsgi -b 127.0.0.1:{port} -k gthread -w {WORKERS} --threads {THREADS}"
    )
    quiet = subprocess.DEVNULL
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *web.split(), "--log-level", "error"], env=environment
        ),
        subprocess.Popen(
            [sys.executable, "manage.py", "sequencer"], env=environment, stdout=quiet, stderr=quiet
        ),
    ]
    try:
        _answers(port)
        yield port
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


def _answers(port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            time.sleep(2)
            return
    raise RuntimeError("the web server does not answer")


def _measured(port: int, path: str, token: str, seconds: float = SECONDS) -> dict[str, float]:
    """How many answers in the time, how long each took, and the web workers' CPU for each."""
    took: list[float] = []
    ends = time.monotonic() + seconds

    def call() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < ends:
            began = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise AssertionError(f"{path} answered {answer.status}")
            took.append((time.perf_counter() - began) * 1000)
        connection.close()

    before, began = _cpu(port), time.perf_counter()
    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, used = time.perf_counter() - began, _cpu(port) - before
    took.sort()
    return {
        "answers": len(took),
        "a_second": round(len(took) / spent, 1),
        "p50_ms": round(took[len(took) // 2], 1),
        "p99_ms": round(took[int(len(took) * 0.99)], 1),
        "cpu_ms": round(used * 1000 / len(took), 3),
        "load": round(os.getloadavg()[0], 1),
    }


def _cpu(port: int) -> float:
    """Seconds of CPU of the web server's processes, which we started."""
    own = psutil.Process().children(recursive=True)
    web = [each for each in own if f"127.0.0.1:{port}" in each.cmdline()]
    return sum(sum(each.cpu_times()[:2]) for each in web)
