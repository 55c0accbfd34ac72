"""Databases of a benchmark's own: made before it, dropped after it, never anybody else's."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

ADDRESS = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")

ROLES = ("owner", "app", "sequencer", "auditor")


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
def roles(address: str, prefix: str) -> Iterator[Callable[[str], str]]:
    """The roles of docs/operating.md in a database with its tables; gives each one's address."""
    server, name = address.rsplit("/", 1)
    word = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="bench-roles-") as folder:
        for role in ROLES:
            (Path(folder) / role).write_text(word, encoding="ascii")
        subprocess.run(
            [sys.executable, "manage.py", "dbroles", "--prefix", prefix, "--passwords", folder],
            env={**os.environ, "DATABASE_URL": address, "SAYSO_DEMO": "1"},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    host = server.rsplit("@", 1)[-1].removeprefix("postgres://")
    try:
        yield lambda role: f"postgres://{prefix}_{role}:{word}@{host}/{name}"
    finally:
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(f'REASSIGN OWNED BY "{prefix}_owner" TO CURRENT_USER')
            for role in ROLES:
                admin.execute(f'DROP OWNED BY "{prefix}_{role}"')
                admin.execute(f'DROP ROLE "{prefix}_{role}"')


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
