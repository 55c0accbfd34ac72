"""The whole database into one sealed file and back: SQLite by its own copying, PostgreSQL by its tools.

In clear it lies nowhere but where the database itself lies.
"""

import os
import re
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import connection
from pyrage import x25519

from common.errors import NotReady
from governance.actions.scopes import gate
from release.storage import seal_stream, unseal_stream

FILES = {"sqlite": "database.sqlite3.age", "postgresql": "database.pgdump.age"}
LOCK_WAIT = "--lock-wait-timeout=60000"  # milliseconds


def copy_to(path: Path, recipients: Sequence[x25519.Recipient]) -> None:
    """The database as it is at one instant, sealed, while others go on reading and writing.

    Raises NotReady where PostgreSQL's tool is not here or fails; OSError where the disk does not
    take it.
    """
    with path.open("xb") as sealed:
        path.chmod(0o600)
        if connection.vendor == "postgresql":
            kind = ["--format=custom", "--no-owner", "--no-privileges", LOCK_WAIT]
            with _running("pg_dump", kind, stdout=subprocess.PIPE) as tool:
                seal_stream(_pipe(tool.stdout), sealed, recipients)
        else:
            with _copy() as copy, copy.open("rb") as plain:
                seal_stream(plain, sealed, recipients)


def replace_by(path: Path, identities: Sequence[x25519.Identity]) -> None:
    """What is sealed in the file takes the place of the database, whole or not at all.

    Nothing else may have the database open: stop the web, the clock and the sequencer first. Raises
    NotReady where PostgreSQL's tool is not here or fails, or the file is not what was sealed.
    """
    try:
        with path.open("rb") as sealed:
            if connection.vendor == "postgresql":
                connection.close()
                kind = ["--clean", "--if-exists", "--no-owner", "--no-privileges"]
                whole = ["--single-transaction", "--exit-on-error"]
                with _running("pg_restore", [*kind, *whole], stdin=subprocess.PIPE) as tool:
                    unseal_stream(sealed, _pipe(tool.stdin), identities)
                    _pipe(tool.stdin).close()
            else:
                _replace_sqlite(sealed, identities)
    except OSError as error:
        raise NotReady(
            "restore_failed", "The database was not replaced: the file or the disk failed."
        ) from error


@contextmanager
def _copy() -> Iterator[Path]:
    """A whole copy beside SQLite's own file, for a moment: there it lies in clear anyway."""
    name = Path(str(connection.settings_dict["NAME"]))
    for left in name.parent.glob(f"{name.name}.copying-*"):
        left.unlink(missing_ok=True)
    path = name.with_name(f"{name.name}.copying-{secrets.token_hex(4)}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy_sqlite(path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _copy_sqlite(path: Path) -> None:
    connection.ensure_connection()
    try:
        target = sqlite3.connect(path)
        try:
            connection.connection.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
            target.create_function("regexp", 2, _matches)  # checks of columns ask for it
            (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
        finally:
            target.close()
    except sqlite3.Error as error:
        raise NotReady("backup_failed", "The database could not be copied.") from error
    if verdict != "ok":
        raise NotReady(
            "database_damaged", "The copy of the database is damaged; so is the original."
        )


def _replace_sqlite(sealed: IO[bytes], identities: Sequence[x25519.Identity]) -> None:
    name = Path(str(connection.settings_dict["NAME"]))
    draft = name.with_name(f"{name.name}.restoring")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as plain:
        unseal_stream(sealed, plain, identities)
        plain.flush()
        os.fsync(plain.fileno())
    with gate():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what waits beside is not mixed in
        connection.close()
        for beside in ("-wal", "-shm"):
            name.with_name(f"{name.name}{beside}").unlink(missing_ok=True)
        draft.rename(name)
        _force(name.parent)


def _matches(pattern: str, value: object) -> bool:
    return value is not None and re.search(pattern, str(value)) is not None


@contextmanager
def _running(
    tool: str, arguments: list[str], *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """PostgreSQL's own tool on this database; killed where the block does not end well.

    Raises NotReady where it is not here or does not end well.
    """
    program = shutil.which(tool)
    if program is None:
        raise NotReady(
            "no_database_tool",
            f"{tool} is not installed here. Install PostgreSQL's client programs (Debian: apt-get "
            "install postgresql-client), in the server's version or a newer one.",
        )
    found = connection.settings_dict
    command = [program, "--no-password", f"--dbname={found['NAME']}"]
    for option, value in (
        ("host", found["HOST"]),
        ("port", found["PORT"]),
        ("username", found["USER"]),
    ):
        if value:
            command.append(f"--{option}={value}")
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own tool, without a shell
        [*command, *arguments],
        env={**os.environ, "PGPASSWORD": str(found["PASSWORD"] or "")},
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it may repeat a row
    ) as running:
        try:
            yield running
        except BrokenPipeError:
            pass  # it has ended before the rest came: its exit code says so below
        except BaseException:
            running.kill()
            raise
    if running.returncode:
        raise NotReady(
            "database_tool_failed",
            f"{tool} ended with {running.returncode}; nothing was changed. Is it as new as the "
            "server, may this user read and write everything, and has nothing else it open?",
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - it was asked for
    return pipe


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
