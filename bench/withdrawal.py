"""How long a no waits for its acknowledgement while eight readers prepare and fetch packages.

Goal: p99 ≤ 500 ms. Runs on SQLite and, where it answers on loopback, on PostgreSQL. Readers and the
person who says no are processes of their own, as in production. Equality: no package that was
committed after an acknowledged no holds the person.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from bench.databases import ADDRESS
from bench.measure import verdict

DATABASE = "sayso_bench_noes"
READERS = 8
SECONDS = 30


def run(*, rows: int, repeat: int) -> bool:
    """`rows` and `repeat` are not used: the world is the demonstration's, the time is fixed."""
    del rows, repeat
    with tempfile.TemporaryDirectory(prefix="bench-noes-") as place:
        good = [_measured("SQLite", f"sqlite:///{place}/noes.sqlite3", Path(place) / "sqlite")]
        try:
            psycopg.connect(f"{ADDRESS}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            print(json.dumps({"section": "withdrawal", "skipped": "no PostgreSQL on loopback"}))
            return all(good)
        with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            admin.execute(f"CREATE DATABASE {DATABASE}")
        try:
            good.append(
                _measured("PostgreSQL", f"{ADDRESS}/{DATABASE}", Path(place) / "postgresql")
            )
        finally:
            with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        return all(good)


def _measured(name: str, database: str, folder: Path) -> bool:
    folder.mkdir()
    environment = {
        **os.environ,
        "SAYSO_DEMO": "1",
        "DATABASE_URL": database,
        "SAYSO_DATA": str(folder / "data"),
        "SAYSO_KEYS": str(folder / "keys"),
    }
    worker = [sys.executable, "-m", "bench.withdrawal_worker"]
    subprocess.run([*worker, "world", str(folder)], env=environment, check=True)
    readers = [
        subprocess.Popen([*worker, "reader", str(SECONDS)], env=environment) for _ in range(READERS)
    ]
    try:
        said = subprocess.run(
            [*worker, "sayer", str(SECONDS)],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    finally:
        for reader in readers:
            reader.wait(timeout=120)
    checked = subprocess.run(
        [*worker, "check"], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    print(said.stdout, checked.stdout, sep="", end="")
    found, bad = json.loads(said.stdout), json.loads(checked.stdout)
    if bad["bad"]:
        raise AssertionError("a package was committed after a no and holds the person")
    shutil.rmtree(folder, ignore_errors=True)
    return verdict(f"withdrawal, {name}", "p99 ms under 8 readers", found["p99_ms"], 500.0)
