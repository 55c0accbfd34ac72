"""Lets the test runner, and nobody else, empty append-only tables between tests.

Tests with `transaction=True` (and `live_server`) end by emptying tables, which the append-only
triggers refuse. Import the fixture below into `tests/conftest.py`:

    from tests.append_only import flush_may_empty_append_only_tables  # noqa: F401

It lifts the triggers of the *test* database's filled tables for that long and puts each one back.
Whoever tests tampering may use `triggers_lifted` likewise. Nothing of this exists in the project
itself: in production the triggers can be lifted only by the owner of the database.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from tests.noes import forget_noes

# Filled by `migrate` itself, the same after every test.
MADE_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission", "django_site"}


@contextmanager
def triggers_lifted(only: Collection[str] | None = None) -> Iterator[None]:
    """Without triggers inside (of these tables, or of all), with all of them again afterwards."""
    if connection.vendor == "postgresql":
        tables = [one for one in _tables_with_triggers() if only is None or one in only]
        _each(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in tables)
        try:
            yield
        finally:
            _each(f'ALTER TABLE "{table}" ENABLE TRIGGER USER' for table in tables)
    else:
        triggers = [
            (name, sql) for name, table, sql in _sqlite_triggers() if only is None or table in only
        ]
        _each(f'DROP TRIGGER "{name}"' for name, _ in triggers)
        try:
            yield
        finally:
            _each(sql for _, sql in triggers)


@contextmanager
def nothing_looked_at(only: Collection[str]) -> Iterator[None]:
    """As `triggers_lifted` of these tables, where rows come or go in bulk. On PostgreSQL foreign keys
    are not looked at either: one statement instead of two for each table."""
    if connection.vendor != "postgresql" or not _superuser():
        with triggers_lifted(only):
            yield
            if connection.vendor == "postgresql":
                # No table is altered while the checks of its foreign keys wait.
                _each(["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"])
        return
    with transaction.atomic():  # what is refused inside leaves no session without its triggers
        _each(["SET LOCAL session_replication_role = replica"])
        yield
        _each(["SET LOCAL session_replication_role = origin"])


def _superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        return bool(cursor.fetchone()[0])


@contextmanager
def unguarded() -> Iterator[None]:
    """Inside, no trigger stands; afterwards nothing has happened, whatever was done."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # No table is altered while the checks of its foreign keys wait.
            _each(["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"])
            tables = _tables_with_triggers()
            _each(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in tables)
        else:
            _each(f'DROP TRIGGER "{name}"' for name, *_ in _sqlite_triggers())
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True, scope="session")
def flush_may_empty_append_only_tables() -> Iterator[None]:
    """Empty what a test filled, in one transaction, instead of every table and its permissions."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: empty_what_was_filled()
    yield
    TransactionTestCase._fixture_teardown = flush


def empty_what_was_filled() -> None:
    """Leave the test database as its migrations made it: the foreign keys are looked at once."""
    with transaction.atomic():
        filled = filled_tables()
        with nothing_looked_at(filled):
            _each(f'DELETE FROM "{table}"' for table in filled)  # noqa: S608 - our own tables
    forget_noes()


def filled_tables() -> list[str]:
    names = _names(connection.vendor)
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")"  # noqa: S608 - our own tables
        for name in names
    )
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return sorted(name for (name,) in cursor.fetchall())


@lru_cache(maxsize=2)
def _names(_vendor: str) -> list[str]:
    """Every table but what `migrate` fills: the same from the first test to the last."""
    return [name for name in connection.introspection.table_names() if name not in MADE_BY_MIGRATE]


def _each(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _tables_with_triggers() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE NOT t.tgisinternal AND n.nspname = current_schema() ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def _sqlite_triggers() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        )
        return list(cursor.fetchall())
