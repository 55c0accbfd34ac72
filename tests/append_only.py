"""Lets the test runner, and nobody else, empty append-only tables between tests.

Tests with `transaction=True` (and `live_server`) end by flushing all tables, which the append-only
triggers refuse. Import the fixture below into `tests/conftest.py`:

    from tests.append_only import flush_may_empty_append_only_tables  # noqa: F401

It lifts every trigger of the *test* database for the length of the flush and puts each one back.
Whoever tests tampering may use `triggers_lifted` likewise. Nothing of this exists in the project
itself: in production the triggers can be lifted only by the owner of the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase


@contextmanager
def triggers_lifted() -> Iterator[None]:
    """Without triggers inside, with all of them again afterwards."""
    if connection.vendor == "postgresql":
        tables = _tables_with_triggers()
        _each(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in tables)
        try:
            yield
        finally:
            _each(f'ALTER TABLE "{table}" ENABLE TRIGGER USER' for table in tables)
    else:
        triggers = _sqlite_triggers()
        _each(f'DROP TRIGGER "{name}"' for name, _ in triggers)
        try:
            yield
        finally:
            _each(sql for _, sql in triggers)


@pytest.fixture(autouse=True, scope="session")
def flush_may_empty_append_only_tables() -> Iterator[None]:
    flush = TransactionTestCase._fixture_teardown

    def flush_without_triggers(self: TransactionTestCase) -> None:
        with triggers_lifted():
            flush(self)

    TransactionTestCase._fixture_teardown = flush_without_triggers
    yield
    TransactionTestCase._fixture_teardown = flush


def _each(statements: Iterator[str]) -> None:
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


def _sqlite_triggers() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        return list(cursor.fetchall())
