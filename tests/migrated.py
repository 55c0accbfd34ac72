"""The test database is migrated once in a whole run; each worker of each pass begins with a copy.

Only where TESTS_MIGRATED names a folder that lasts as long as the run (scripts/test.py makes it).
Django's own `migrate` still runs over every copy, and does what the copy lacks.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

FOLDER = os.environ.get("TESTS_MIGRATED", "")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """pytest-django asks for this one just before it makes the test database."""
    creation = connection.creation
    make = creation.create_test_db

    def made(*args: Any, **kwargs: Any) -> str:
        with _alone():
            return _first(make, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        if FOLDER:
            patch.setattr(creation, "create_test_db", made)
        yield


@contextmanager
def _alone() -> Iterator[None]:
    with (Path(FOLDER) / "one-at-a-time").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _first(make: Any, *args: Any, **kwargs: Any) -> str:
    """Make the test database, from the copy where there is one; otherwise leave one for the next."""
    if connection.vendor == "postgresql":
        return _postgresql(make, *args, **kwargs)
    return _sqlite(make, *args, **kwargs)


def _sqlite(make: Any, *args: Any, **kwargs: Any) -> str:
    copy = Path(FOLDER) / "migrated.sqlite3"
    creation = connection.creation
    empty = creation._create_test_db

    def filled(*given: Any, **named: Any) -> str:
        name: str = empty(*given, **named)
        if copy.exists():
            shutil.copyfile(copy, name)
        return name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "_create_test_db", filled)
        name: str = make(*args, **kwargs)
    if not copy.exists():
        connection.cursor().execute("VACUUM INTO %s", [str(copy)])
    return name


def _postgresql(make: Any, *args: Any, **kwargs: Any) -> str:
    found = connection.settings_dict
    copy = f"{found['NAME']}_migrated"
    there = (Path(FOLDER) / copy).exists()
    found["TEST"]["TEMPLATE"] = copy if there else None
    name: str = make(*args, **kwargs)
    if not there:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(copy), sql.Identifier(name)
                )
            )
        (Path(FOLDER) / copy).touch()
    return name
