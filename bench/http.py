"""Decisions through the machines' door, beside a bare view that asks the same authentication.

The decision: a holder's system asks, with an OAuth token, whether one client's record may go out.
Role and scope are asked, everything is read under the shared locks, the answer and its entry are
committed, and only then it is told. The floor is a view of the same framework with the same token,
role, scope and throttle that answers a constant. gunicorn gthread on loopback, two workers of four
threads, the sequencer beside them; on PostgreSQL each under its own role. Goals: 150 decisions a
second, p99 300 ms, 2.5 times the floor's CPU. Equality: each answer left one entry, as many permits
as were told, and each kept answer is the rule's.

Beside it, without a goal: the hand-over of a manifest, which also waits for the signed checkpoint.
"""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from bench import databases
from bench.measure import verdict

DATABASE = "sayso_bench_http"
SECONDS = 10
CALLERS = 8
WORKERS = 2
THREADS = 4


def run(*, rows: int, repeat: int) -> bool:
    """`rows` and `repeat` are not used: the world is the demonstration's, the time is fixed."""
    del rows, repeat
    there_is = databases.answers()
    made = databases.postgresql(DATABASE) if there_is else databases.sqlite()
    with tempfile.TemporaryDirectory(prefix="bench-http-") as place, made as address:
        owner = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "DATABASE_URL": address,
            "SAYSO_DATA": f"{place}/data",
            "SAYSO_KEYS": f"{place}/keys",
        }
        there = _worker(owner, "world", place)
        with ExitStack() as roles:
            app = sequencer = owner
            if there_is:
                of = roles.enter_context(databases.roles(address, "bench_http"))
                app, sequencer = ({**owner, "DATABASE_URL": of(r)} for r in ("app", "sequencer"))
            with _serving(app, sequencer) as port:
                found = _variants(port, there, owner)
    for name, figures in found.items():
        print(json.dumps({"section": "http", "variant": name, **figures}), flush=True)
    vendor, ours = address.split(":")[0], found["decision"]
    ratio = round(ours["cpu_ms"] / found["bare view"]["cpu_ms"], 2)
    between = 1000 / ours["a_second"]
    good = [
        verdict(f"http, {vendor}", "milliseconds between decisions", between, 1000 / 150),
        verdict(f"http, {vendor}", "p99 ms of a decision", ours["p99_ms"], 300.0),
        verdict(f"http, {vendor}", "CPU of a decision, times a bare view's", ratio, 2.5),
    ]
    return all(good)


def _variants(
    port: int, there: dict[str, Any], environment: dict[str, str]
) -> dict[str, dict[str, float]]:
    bare = Asked("GET", "/bench/bare/", there["stewards"])
    numbers = there["numbers"]
    decision = Asked("POST", "/api/decisions/", there["stewards"], there["request"], numbers)
    manifest = Asked("GET", f"/api/releases/{there['release']}/manifest/", there["token"])
    before: dict[str, int] = {}
    found: dict[str, dict[str, float]] = {}
    for name, asked in {"bare view": bare, "decision": decision, "manifest": manifest}.items():
        _measured(port, asked, seconds=2)  # warm
        before = _worker(environment, "counts")
        found[name] = _measured(port, asked)
        after = _worker(environment, "counts")
        left = {kind: after[kind] - before[kind] for kind in before}
        answers, permits = found[name]["answers"], found[name]["permits"]
        expected = {
            "bare view": dict.fromkeys(left, 0),
            "decision": {
                **dict.fromkeys(left, 0),
                "inquiries": answers,
                "answered": answers,
                "permitted": permits,
            },
            "manifest": {**dict.fromkeys(left, 0), "downloads": answers, "given": answers},
        }[name]
        if left != expected:
            raise AssertionError(f"{answers} answers of {name} left {left}")
    _worker(environment, "rule")
    if not 0 < found["decision"]["permits"] < found["decision"]["answers"]:
        raise AssertionError("some are permitted and some are not, or nothing is shown")
    return found


@dataclass(frozen=True)
class Asked:
    """What the callers ask: with `numbers`, about one of them each time."""

    method: str
    path: str
    token: str
    request: str = ""
    numbers: Sequence[str] = ()

    def body(self) -> bytes | None:
        if not self.numbers:
            return None
        client = random.choice(self.numbers)  # noqa: S311 - no secret
        return json.dumps({"request": self.request, "client": client}).encode()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


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
def _serving(app: dict[str, str], sequencer: dict[str, str]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    web = (
        f"gunicorn bench.http_wsgi -b 127.0.0.1:{port} -k gthread -w {WORKERS} --threads {THREADS}"
    )
    quiet = subprocess.DEVNULL
    started = [
        subprocess.Popen([sys.executable, "-m", *web.split(), "--log-level", "error"], env=app),
        subprocess.Popen(
            [sys.executable, "manage.py", "sequencer"], env=sequencer, stdout=quiet, stderr=quiet
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


def _measured(port: int, asked: Asked, seconds: float = SECONDS) -> dict[str, float]:
    """How many answers in the time, how long each took, and the web workers' CPU for each."""
    took: list[float] = []
    permits: list[bool] = []
    ends = time.monotonic() + seconds

    def call() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < ends:
            body = asked.body()
            began = time.perf_counter()
            connection.request(asked.method, asked.path, body=body, headers=asked.headers())
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200:
                raise AssertionError(f"{asked.path} answered {answer.status}")
            took.append((time.perf_counter() - began) * 1000)
            permits.append(b'"decision":"permitted"' in told)
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
        "permits": sum(permits),
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
