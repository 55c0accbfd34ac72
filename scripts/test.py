"""Every test this machine can run, and one closing summary that says what it could not run.

On somebody's own machine that is a sentence; where CI is true it is a failure.

First everything on SQLite; then, where PostgreSQL answers, whatever touches the database once more
there. Beside them the fault runs, which have servers of their own, and then the browser tests where
there is a Chromium.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from tests.faults.servers import MAY_NOT, Cluster, Impossible
from tests.memory import place

BASE = Path(__file__).resolve().parent.parent
SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")
FAULTS = "faults"
BROWSERS = "functional"
# One names another database; without the other each process would translate every file anew.
LEFT_OUT = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}
NO_TESTS = 5  # pytest's exit code where nothing was collected


@dataclass(frozen=True)
class Missing:
    """What was not run: because it is not here, or `chosen`."""

    sentence: str
    chosen: bool = False


NO_POSTGRESQL = Missing(
    "The PostgreSQL pass: its programs are not here, and no server answered "
    "(set TEST_POSTGRES to postgres://user@host:port)."
)
NO_CHROMIUM = Missing("The browser tests: there is no Chromium (Debian: apt-get install chromium).")
SHORT = Missing(
    "On PostgreSQL, what is about pages, addresses, files and who may do what more than about "
    "the database; and everywhere four fifths of what nobody should send and the desk in two sizes of four "
    "(`make whole` runs that too).",
    chosen=True,
)


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


def run(name: str, *choice: str, database: str = "", aside: bool = False) -> Pass:
    """Run pytest in its own process; its output goes straight to the terminal, or, where another
    pass runs beside it, there in one piece at the end."""
    if not aside:
        print(f"\n=== {name} ===", flush=True)
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    if database:
        environment["DATABASE_URL"] = database
    found = Pass(name)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *choice]
        ended = subprocess.run(
            command,
            cwd=BASE,
            env=environment,
            check=False,
            stdout=subprocess.PIPE if aside else None,
            stderr=subprocess.STDOUT if aside else None,
            text=True,
        )
        found.code, found.seconds = ended.returncode, time.monotonic() - started
        if aside:
            print(f"\n=== {name} ===\n{ended.stdout}", flush=True)
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
    """The address of a database of our own, gone afterwards; empty where there is no PostgreSQL.

    Where PostgreSQL's programs are here, in a cluster of its own, in memory where there is
    enough of it, so that no test waits for a disk; otherwise, or where TEST_POSTGRES names one, on a server.
    """
    cluster = None if "TEST_POSTGRES" in os.environ else own_cluster()
    if cluster is None:
        with on_a_server() as address:
            yield address
        return
    try:
        cluster.start()
        cluster.create("suite")
        yield cluster.address("suite")
    finally:
        cluster.away()


def own_cluster() -> Cluster | None:
    try:
        return Cluster()
    except Impossible:
        return None


@contextmanager
def on_a_server() -> Iterator[str]:
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


def summary(passes: list[Pass], missing: list[Missing], seconds: float) -> int:
    """Print what ran and what did not; 0 only where something ran and nothing failed.

    Continuous integration installs what is missing, so there it must have run.
    """
    print("\n=== what was run ===")
    for one in passes:
        print(one.line())
    ran = set[str]().union(*(one.passed | one.failed for one in passes))
    left_out = [one.sentence for one in missing] + reasons(passes, ran)
    told("what could not be run here", left_out)
    if not left_out:
        print("  Nothing was left out.")
    demanded = lacking(passes, missing) if os.environ.get("CI") == "true" else []
    told("what must not be missing here (CI=true)", demanded)
    good = bool(ran) and not demanded and all(one.code == 0 for one in passes)
    print(f"=== {'all well' if good else 'FAILED'}, {seconds:.0f} s ===", flush=True)
    return 0 if good else 1


def told(title: str, sentences: list[str]) -> None:
    if sentences:
        print(f"=== {title} ===", *sentences, sep="\n  ")


def reasons(passes: list[Pass], ran: set[str]) -> list[str]:
    """Why tests were skipped that no other pass ran."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in passes:
        for test, reason in one.skipped.items():
            if test not in ran:
                found[reason].add(test)
    return [f"{len(tests)} tests: {reason}" for reason, tests in sorted(found.items())]


def lacking(passes: list[Pass], missing: list[Missing]) -> list[str]:
    """What was not run and could have been: no choice, and nothing that this user may not do."""
    skipped = [
        f"{test}: {reason}"
        for one in passes
        if one.name == FAULTS
        for test, reason in sorted(one.skipped.items())
        if MAY_NOT not in reason
    ]
    return [one.sentence for one in missing if not one.chosen] + skipped


def main() -> int:
    if "--whole" in sys.argv:
        os.environ["TESTS_LENGTH"] = "long"
    with tempfile.TemporaryDirectory(prefix="sayso-migrated-", dir=place()) as folder:
        os.environ["TESTS_MIGRATED"] = folder
        return every_pass()


def only(*folders: str) -> list[str]:
    """The files that were named; without any, what lies in these folders of tests/.

    Each of a dozen processes reads every file it is given before it runs a test.
    """
    return [word for word in sys.argv[1:] if not word.startswith("--")] or [
        f"tests/{name}" for name in folders
    ]


def without_a_browser() -> list[str]:
    return sorted(
        folder.name
        for folder in (BASE / "tests").iterdir()
        if folder.name != BROWSERS and any(folder.rglob("test_*.py"))
    )


def every_pass() -> int:
    started = time.monotonic()
    missing: list[Missing] = []
    # The fault runs wait more than they work, and a browser is a process apart: both go on beside.
    with ThreadPoolExecutor(1) as beside:
        aside = beside.submit(faults_and_browser, missing)
        passes = [*both_databases(missing), *aside.result()]
    return summary(passes, missing, time.monotonic() - started)


def both_databases(missing: list[Missing]) -> list[Pass]:
    again = "database and not browser and not faults and not goals"
    if "--whole" not in sys.argv:
        again += " and not once"
        missing.append(SHORT)
    here = only(*without_a_browser())
    passes = [run("SQLite", "-n", "2", "-m", "not browser and not faults and not goals", *here)]
    with postgresql() as address:
        if address:
            passes.append(run("PostgreSQL", "-n", "2", "-m", again, *here, database=address))
        else:
            missing.append(NO_POSTGRESQL)
    return passes


def faults_and_browser(missing: list[Missing]) -> list[Pass]:
    passes = [run(FAULTS, "-m", "faults", *only("faults"), aside=True)]
    if shutil.which("chromium"):
        choice = ("-m", "browser and not goals", *only(BROWSERS))
        passes.append(run("browser", "-n", "2", *choice, aside=True))
    else:
        missing.append(NO_CHROMIUM)
    return passes


if __name__ == "__main__":
    sys.exit(main())
