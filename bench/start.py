"""How long the web server takes from its start to its first answer, beside `import django` alone."""

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.measure import verdict
from release.management import processes

BASE = Path(__file__).resolve().parent.parent
MOST = 3.0  # seconds
PATIENCE = 120.0
NEVER_LOADED = ("duckdb", "ibis", "pyarrow")


def run(*, rows: int, repeat: int) -> bool:
    """Alternate floor and start; the check is that the answer is the right one and that no web
    process has loaded the engine. `rows` plays no part."""
    floors, starts = [], []
    for _ in range(repeat):
        floors.append(_floor())
        before = _cpu()
        starts.append(_start())
        line = {
            "floor_s": floors[-1],
            "start_s": starts[-1],
            "start_cpu_s": _cpu() - before,  # of both processes, until they have ended
            "load": os.getloadavg()[0],
        }
        print(json.dumps({"section": "start", **line}), flush=True)
    ours, floor = statistics.median(starts), statistics.median(floors)
    found = {"median_s": round(ours, 3), "floor_s": round(floor, 3), "min_s": round(min(starts), 3)}
    print(json.dumps({"section": "start", "result": found}), flush=True)
    return verdict("start", "seconds to the first answer", ours, MOST)


def _cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _floor() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import django"], check=True)
    return time.perf_counter() - began


def _start() -> float:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {
            **os.environ,
            "SAYSO_DEMO": "1",
            "SAYSO_BIND": f"127.0.0.1:{port}",
            "SAYSO_WEB_WORKERS": "1",
            "SAYSO_METRICS": f"{folder}/metrics",
            "SAYSO_DATA": f"{folder}/data",
            "SAYSO_KEYS": f"{folder}/keys",
            "DATABASE_URL": f"sqlite:///{folder}/own.sqlite3",
        }
        began = time.perf_counter()
        server = subprocess.Popen(
            processes.command(processes.WEB, sys.executable),
            cwd=BASE,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            _answered(f"http://127.0.0.1:{port}/healthz", server, began)
            seconds = time.perf_counter() - began
            _check_engine_stays_out(server.pid)
        finally:
            server.terminate()
            server.wait(60)
    return seconds


def _answered(address: str, server: subprocess.Popen[bytes], began: float) -> None:
    while time.perf_counter() - began < PATIENCE:
        if server.poll() is not None:
            raise RuntimeError("the web server ended")
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - our own
                if answer.read() == b"alive\n":
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError("the web server never answered")


def _check_engine_stays_out(pid: int) -> None:
    """Shared libraries of the engine would stand in the process's memory map."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    for child in children:
        held = Path(f"/proc/{child}/maps").read_text(encoding="utf-8")
        if any(name in held for name in NEVER_LOADED):
            raise AssertionError("a web process has loaded the engine")
