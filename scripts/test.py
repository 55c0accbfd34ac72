"""Every test this machine can run, and one closing summary that says what it could not run.

First everything on SQLite; then, where PostgreSQL answers, whatever touches the database once more
there; then the browser tests where there is a Chromium.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

BASE = Path(__file__).resolve().parent.parent
SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")
NO_TESTS = 5  # pytest's exit code where nothing was collected


@dataclass
class Pass:
    """One run of pytest over a choice of tests."""

    name: str
    code: int = 0
    seconds: float = 0.0
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        counts = (
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        )
        verdict = "" if self.code == 0 else f"  (pytest ended with {self.code})"
        return f"  {self.name:<11} {counts} in {self.seconds:.0f} s{verdict}"


def run(name: str, *choice: str, database: str = "") -> Pass:
    """Run pytest in its own process; its output goes straight to the terminal."""
    print(f"\n=== {name} ===", flush=True)
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if database:
        environment["DATABASE_URL"] = database
    found = Pass(name)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *choice]
        found.code = subprocess.run(command, cwd=BASE, env=environment, check=False).returncode
        found.seconds = time.monotonic() - started
        if report.exists():
            read(report, found)
    if found.code == NO_TESTS:
        found.code = 0
    return found


def read(report: Path, into: Pass) -> None:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own report
        test = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            into.failed.add(test)
        elif skipped is not None:
            into.skipped[test] = skipped.get("message") or "no reason given"
        else:
            into.passed.add(test)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a database of our own, dropped afterwards; empty where no server answers."""
    name = f"sayso_suite_{os.getpid()}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        yield ""
        return
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{SERVER}/{name}"
        finally:
            # The named one, and the workers' own where a worker was killed and left them behind.
            left = server.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s) "
                "OR starts_with(datname, %s)",
                [name, f"test_{name}"],
            ).fetchall()
            for (database,) in left:
                server.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                        sql.Identifier(database)
                    )
                )


def summary(passes: list[Pass], missing: list[str], seconds: float) -> int:
    """Print what ran and what did not; 0 only where something ran and nothing failed."""
    print("\n=== what was run ===")
    for one in passes:
        print(one.line())
    ran = set[str]().union(*(one.passed | one.failed for one in passes))
    reasons: dict[str, set[str]] = defaultdict(set)
    for one in passes:
        for test, reason in one.skipped.items():
            if test not in ran:
                reasons[reason].add(test)
    if reasons or missing:
        print("=== what could not be run here ===")
        for sentence in missing:
            print(f"  {sentence}")
        for reason, tests in sorted(reasons.items()):
            print(f"  {len(tests)} tests: {reason}")
    else:
        print("  Nothing was left out.")
    good = bool(ran) and all(one.code == 0 for one in passes)
    print(f"=== {'all well' if good else 'FAILED'}, {seconds:.0f} s ===", flush=True)
    return 0 if good else 1


def main() -> int:
    started = time.monotonic()
    missing: list[str] = []
    passes = [run("SQLite", "-n", "2", "-m", "not browser")]
    with postgresql() as address:
        if address:
            passes.append(
                run("PostgreSQL", "-n", "2", "-m", "database and not browser", database=address)
            )
        else:
            missing.append(
                "The PostgreSQL pass: no server answered on this machine "
                "(set TEST_POSTGRES to postgres://user@host:port)."
            )
    if shutil.which("chromium"):
        passes.append(run("browser", "-n", "2", "-m", "browser"))
    else:
        missing.append(
            "The browser tests: there is no Chromium (Debian: apt-get install chromium)."
        )
    return summary(passes, missing, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
