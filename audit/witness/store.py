"""What a witness remembers: per log its keys, the largest head it signed, and what spoke against it.

One SQLite file of its own. A head is never replaced by a smaller one; the file's own triggers say
so too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.tlog.notes import Verifier, parse_verifier
from audit.witness.keys import Unusable

SECONDS = 10.0  # how long one request waits for another's writing
MOST_DISPUTES = 100  # kept of each log, the oldest ones: those that came first tell the most

SCHEMA = """
CREATE TABLE log (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL
) STRICT;
CREATE TABLE log_key (
    vkey TEXT PRIMARY KEY,
    origin TEXT NOT NULL
) STRICT;
CREATE TABLE dispute (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    held TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TRIGGER never_smaller BEFORE UPDATE ON log WHEN NEW.size < OLD.size OR NEW.origin != OLD.origin
BEGIN SELECT RAISE(ABORT, 'a head is never replaced by a smaller one'); END;
CREATE TRIGGER never_another BEFORE UPDATE ON log WHEN NEW.size = OLD.size AND NEW.root != OLD.root
BEGIN SELECT RAISE(ABORT, 'a head is never replaced by another of its size'); END;
CREATE TRIGGER never_gone BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'a head is never forgotten'); END;
"""
TABLES = {"log", "log_key", "dispute"}


@dataclass(frozen=True)
class Head:
    """The largest checkpoint of a log that this witness has cosigned."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Dispute:
    """A checkpoint that the log's own key signed and that does not go on from what was held."""

    origin: str
    at: int
    why: str
    held: str
    body: str


class Store:
    """The file; every use opens it anew, so that a forked or threaded server shares nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def create(self) -> None:
        """Make the file where it is not there; an existing one is left as it is."""
        try:
            with closing(self._open("rwc")) as database:
                database.execute("BEGIN IMMEDIATE")
                if not _tables(database):
                    for statement in _statements():
                        database.execute(statement)
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unusable(f"{self.file.name} cannot be made: {error}.") from error
        self.check()

    def check(self) -> None:
        """Unusable where the file is not there or not a witness's."""
        if not self.file.exists():
            raise Unusable(f"There is no file {self.file.name}. Tell it a log first: add-log.")
        try:
            with closing(self._open("rw")) as database:
                found = _tables(database)
        except sqlite3.Error as error:
            raise Unusable(f"{self.file.name} cannot be used: {error}.") from error
        if found != TABLES:
            raise Unusable(f"{self.file.name} is not a witness's file.")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One at a time, from before anything is read until all of it is on the disk."""
        with closing(self._open("rw")) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def reading(self) -> sqlite3.Connection:
        return self._open("rw")

    def _open(self, mode: str) -> sqlite3.Connection:
        database = sqlite3.connect(
            f"{self.file.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=SECONDS,
            isolation_level=None,
        )
        database.execute("PRAGMA synchronous = FULL")
        return database


def add_key(database: sqlite3.Connection, verifier: Verifier) -> None:
    """Trust one more key of the log that has the key's name."""
    database.execute(
        "INSERT OR IGNORE INTO log_key (vkey, origin) VALUES (?, ?)",
        [verifier.render(), verifier.name],
    )


def drop_key(database: sqlite3.Connection, verifier: Verifier) -> bool:
    """Trust a key no more; what was held of its log stays."""
    found = database.execute("DELETE FROM log_key WHERE vkey = ?", [verifier.render()])
    return bool(found.rowcount)


def verifiers(database: sqlite3.Connection, origin: str) -> list[Verifier]:
    rows = database.execute("SELECT vkey FROM log_key WHERE origin = ? ORDER BY vkey", [origin])
    return [parse_verifier(vkey) for (vkey,) in rows]


def origins(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT DISTINCT origin FROM log_key ORDER BY origin")
    return [origin for (origin,) in rows]


def head(database: sqlite3.Connection, origin: str) -> Head | None:
    found = database.execute(
        "SELECT size, root, note FROM log WHERE origin = ?", [origin]
    ).fetchone()
    return Head(*found) if found else None


def keep(database: sqlite3.Connection, origin: str, head: Head) -> None:
    """Hold this head from now on."""
    database.execute(
        "INSERT INTO log (origin, size, root, note) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, "
        "note = excluded.note",
        [origin, head.size, head.root, head.note],
    )


def dispute(database: sqlite3.Connection, found: Dispute) -> None:
    """Keep what speaks against a log, as long as there is room for it."""
    (many,) = database.execute(
        "SELECT count(*) FROM dispute WHERE origin = ?", [found.origin]
    ).fetchone()
    if many < MOST_DISPUTES:
        database.execute(
            "INSERT INTO dispute (origin, at, why, held, body) VALUES (?, ?, ?, ?, ?)",
            [found.origin, found.at, found.why, found.held, found.body],
        )


def disputes(database: sqlite3.Connection) -> list[Dispute]:
    rows = database.execute("SELECT origin, at, why, held, body FROM dispute ORDER BY id")
    return [Dispute(*row) for row in rows]


def _tables(database: sqlite3.Connection) -> set[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _statements() -> Iterator[str]:
    statement = ""
    for line in SCHEMA.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
