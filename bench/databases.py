"""Databases of a benchmark's own: made before it, dropped after it, never anybody else's."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

ADDRESS = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")


def answers() -> bool:
    """Whether PostgreSQL answers at BENCH_POSTGRES."""
    try:
        psycopg.connect(f"{ADDRESS}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgresql(name: str) -> Iterator[str]:
    """The address of an empty database of this name; an older one of this name goes."""
    with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{ADDRESS}/{name}"
    finally:
        with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def sqlite() -> Iterator[str]:
    """The address of an empty SQLite file."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"


def apart(module: str, arguments: Sequence[object], address: str) -> dict:
    """Run a module in a process of its own on this database; gives the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": address, "SAYSO_DEMO": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout, end="", flush=True)
    return json.loads(done.stdout.splitlines()[-1])
