"""The whole database into one file and back: SQLite by its own copying, PostgreSQL by its tools."""

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

from django.db import connection

from common.errors import NotReady
from governance.actions.scopes import gate

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
MOST_SECONDS = 6 * 3600


def copy_to(path: Path) -> None:
    """The database as it is at one instant, while others go on reading and writing.

    Raises NotReady where PostgreSQL's tool is not here or fails, or the disk does not take it.
    """
    if connection.vendor == "postgresql":
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
        return
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
        raise NotReady("backup_failed", "The database could not be copied there.") from error
    if verdict != "ok":
        raise NotReady(
            "database_damaged", "The copy of the database is damaged; so is the original."
        )


def replace_by(path: Path) -> None:
    """The file takes the place of the database, whole or not at all.

    Nothing else may have the database open: stop the web, the clock and the sequencer first. Raises
    NotReady where PostgreSQL's tool is not here or fails.
    """
    if connection.vendor == "postgresql":
        connection.close()
        _run(
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
            str(path),
        )
        return
    name = Path(str(connection.settings_dict["NAME"]))
    draft = name.with_name(f"{name.name}.restoring")
    shutil.copyfile(path, draft)
    os.chmod(draft, 0o600)
    _force(draft)
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


def _run(tool: str, *arguments: str) -> None:
    program = shutil.which(tool)
    if program is None:
        raise NotReady(
            "no_database_tool",
            f"{tool} is not installed here. Install PostgreSQL's client programs (Debian: apt-get "
            "install postgresql-client), in the server's version or a newer one.",
        )
    found = connection.settings_dict
    command = [program, "--no-password"]
    for option, value in (
        ("host", found["HOST"]),
        ("port", found["PORT"]),
        ("username", found["USER"]),
    ):
        if value:
            command.append(f"--{option}={value}")
    ended = subprocess.run(  # noqa: S603 - PostgreSQL's own tool, without a shell
        [*command, f"--dbname={found['NAME']}", *arguments],
        env={**os.environ, "PGPASSWORD": str(found["PASSWORD"] or "")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it may repeat a row
        check=False,
        timeout=MOST_SECONDS,
    )
    if ended.returncode:
        raise NotReady(
            "database_tool_failed",
            f"{tool} ended with {ended.returncode}; nothing was changed. Is it as new as the "
            "server, may this user read and write everything, and has nothing else it open?",
        )


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
