"""Many rows at once, without a model for each: what is written under a lock is written quickly."""

import sqlite3
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import chain, islice
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, Model

from common.planned import AS_NEEDED, Planned, Reading, Rows, number

MOST_MARKS = 9000  # values a statement; SQLite's own limit is a matter of how it was built


class Columns:
    """Some columns of one model's table, and rows that go into them."""

    def __init__(self, model: type[Model], *names: str) -> None:
        by_name = {field.name: field for field in model._meta.concrete_fields}
        self.model = model
        self.names = names
        self.fields = [by_name[name] for name in names]

    def adapted(self, *values: Any) -> tuple[Any, ...]:
        """One row's values as this database takes them; may be done before any lock is held."""
        return tuple(
            field.get_db_prep_save(value.value if isinstance(value, Enum) else value, connection)
            for field, value in zip(self.fields, values, strict=True)
        )

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of adapted values in the caller's transaction.

        Columns that are not named get the database's own default. On PostgreSQL by COPY, which
        takes a tenth of the time of models.
        """
        quoted = connection.ops.quote_name
        table = quoted(self.model._meta.db_table)
        columns = ", ".join(quoted(str(field.column)) for field in self.fields)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            # Many rows a statement: half the time of one by one, and Python's lock is free. SQLite's
            # own marks: Django would look for its own in every statement anew.
            may = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
            left, most = iter(rows), min(may, MOST_MARKS) // len(self.fields)
            marks = f"({', '.join('?' * len(self.fields))})"
            while some := list(islice(left, most)):
                cursor.execute(
                    f"INSERT INTO {table} ({columns}) VALUES {', '.join([marks] * len(some))}",  # noqa: S608 - our own names
                    list(chain.from_iterable(some)),
                )


class Single:
    """One row of one model at a time, by a statement that each connection plans once."""

    def __init__(
        self, model: type[Model], *left_out: str, just_inserted: Sequence[str] = ()
    ) -> None:
        """`left_out`: columns that get the database's own default. `just_inserted`: those that refer
        to the row that the statement right before this one has inserted."""
        found = [each for each in model._meta.concrete_fields if not each.primary_key]
        kept = [each for each in found if each.name not in left_out]
        given = [each for each in kept if each.name not in just_inserted]
        last = {
            each.name: f"pg_get_serial_sequence('{_table_of(each)}', 'id')"
            for each in kept
            if each.name in just_inserted
        }
        self.names = [str(each.attname) for each in given]
        listed = ", ".join(f'"{each.column}"' for each in kept)
        marks = ", ".join(
            f"{{{each.name}}}" if each.name in last else f"%({each.column})s" for each in kept
        )
        self._statement = Planned(
            f'INSERT INTO "{model._meta.db_table}" ({listed}) VALUES ({marks}) RETURNING id',  # noqa: S608 - our own names
            {
                "postgresql": {name: f"currval({sequence})" for name, sequence in last.items()},
                "sqlite": dict.fromkeys(last, "last_insert_rowid()"),
            },
            dict.fromkeys([str(each.column) for each in given], AS_NEEDED),
        )

    def insert(self, row: Model) -> None:
        """Insert it in the caller's transaction; it gets its key. Raises as `save` would."""
        self.inserting(row).now()

    def inserting(self, row: Model) -> Reading[None]:
        """The same, to be sent beside other statements; with the answer it has its key."""

        def meaning(_vendor: str, rows: Rows) -> None:
            row.pk = number(rows[0][0])
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

        return Reading(self._statement, [getattr(row, name) for name in self.names], meaning)


def _table_of(reference: "Field[Any, Any]") -> str:
    """Where the rows lie that this column refers to."""
    model: Any = reference.related_model
    return str(model._meta.db_table)


def reserved(model: type[Model], count: int) -> Sequence[int]:
    """`count` numbers that no other row of the model will get, in the caller's transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return [number for (number,) in cursor.fetchall()]
        # A writing transaction is alone on SQLite, and inserting a number moves its counter on.
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone()
    return range(last + 1, last + 1 + count)
