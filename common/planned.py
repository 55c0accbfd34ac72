"""One statement that each connection plans once, and what its values are in Python.

It goes through Django's own connection, but below Django's cursors and psycopg's: those cost more
than the statement itself (bench/decision.py), and Django's cannot leave the plan with the server.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

BIGINT, INTEGER = 20, 23  # PostgreSQL's numbers of these types
AS_NEEDED = 0  # whatever type stands where the value goes
Value = int | str | bytes | datetime | date | dict[str, Any] | None
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Decoders:
    """What a value is, as one database sends it; None is nobody's business here."""

    text: Callable[[Any], str]
    moment: Callable[[Any], datetime]
    day: Callable[[Any], date]
    flag: Callable[[Any], bool]
    byte: Callable[[Any], int]


class Planned:
    """A statement in the dialect of each database, its values in a fixed order.

    `template` names its values `%(name)s`, and words that differ between the databases `{word}`.
    `values`: the names in their order, each with its type on PostgreSQL.
    """

    NUMBERS = count(1)

    def __init__(
        self, template: str, words: Mapping[str, Mapping[str, str]], values: Mapping[str, int]
    ) -> None:
        self.name = b"sayso_%d" % next(self.NUMBERS)
        self.types = list(values.values())
        self.sql = {}
        for vendor, mark in (("postgresql", "$"), ("sqlite", "?")):  # both count from 1
            marks = {name: f"{mark}{at}" for at, name in enumerate(values, start=1)}
            self.sql[vendor] = template.format(**words[vendor]) % marks
        self._known: WeakSet[psycopg.Connection[Any]] = WeakSet()

    def rows(self, values: Sequence[Value]) -> tuple[str, Rows]:
        """The database's vendor and the rows as it sends them: `DECODERS` says what they are."""
        here = connections[DEFAULT_DB_ALIAS]
        here.close_if_health_check_failed()  # as Django's cursors do: this may be the first to ask
        here.ensure_connection()
        here.validate_no_broken_transaction()
        with here.wrap_database_errors:
            if here.vendor == "postgresql":
                if here.in_atomic_block:
                    begun(here.connection)
                return here.vendor, self._sent(here.connection, values)
            given = [_for_sqlite(value) for value in values]
            return here.vendor, here.connection.execute(self.sql[here.vendor], given).fetchall()

    def _sent(self, raw: psycopg.Connection[Any], values: Sequence[Value]) -> Rows:
        given: list[Any] = [_for_postgresql(value) for value in values]
        server = raw.pgconn
        if raw.prepare_threshold is None:  # config.settings says when
            sql = self.sql["postgresql"].encode()
            result = server.exec_params(sql, given, self.types, result_format=Format.BINARY)
        else:
            if raw not in self._known:
                self._prepare(raw)
            result = server.exec_prepared(self.name, given, result_format=Format.BINARY)
        if result.status != ExecStatus.TUPLES_OK:
            raise _failed(result)
        columns = range(result.nfields)
        return [
            tuple([result.get_value(row, column) for column in columns])
            for row in range(result.ntuples)
        ]

    def _prepare(self, raw: psycopg.Connection[Any]) -> None:
        sql = self.sql["postgresql"].encode()
        result = raw.pgconn.prepare(self.name, sql, self.types)
        if result.status != ExecStatus.COMMAND_OK:
            raise _failed(result)
        self._known.add(raw)


def together(statements: Iterable[str]) -> tuple[Any, ...]:
    """PostgreSQL only: send these statements at once, one after another; the last one's only row.

    Each sees what was committed when it begins, as if it were sent alone. The values of the row are
    as `DECODERS["postgresql"]` has them in text: here strings. Begins Django's transaction where it
    has not begun yet.
    """
    here = connections[DEFAULT_DB_ALIAS]
    here.ensure_connection()
    here.validate_no_broken_transaction()
    with here.wrap_database_errors:
        raw = here.connection
        opening = _opening(raw) if here.in_atomic_block else []
        result = raw.pgconn.exec_("; ".join([*opening, *statements]).encode())
        if result.status != ExecStatus.TUPLES_OK:
            raise _failed(result)
        found = [result.get_value(0, column) for column in range(result.nfields)]
    return tuple([None if value is None else value.decode() for value in found])


def _failed(result: PGresult) -> psycopg.Error:
    """What went wrong. Where the server has gone without a word there is no code to tell it by."""
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError("The database has closed the connection.")
    return error_from_result(result)


def begun(raw: psycopg.Connection[Any]) -> None:
    """Django has opened a transaction: psycopg would begin it with its own next statement."""
    for statement in _opening(raw):
        raw.pgconn.exec_(statement.encode())


def _opening(raw: psycopg.Connection[Any]) -> list[str]:
    return ["BEGIN"] if raw.pgconn.transaction_status == TransactionStatus.IDLE else []


def _for_postgresql(value: Value) -> bytes | None:
    """A value in PostgreSQL's text form."""
    match value:
        case None:
            return None
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
        case bytes():
            return b"\\x" + value.hex().encode()
        case date():  # a datetime too
            return value.isoformat().encode()
        case dict():
            return json.dumps(value).encode()
        case _:
            return value.encode()


def _for_sqlite(value: Value) -> Any:
    """A value as Django stores it there."""
    match value:
        case datetime():
            return str(value.astimezone(UTC).replace(tzinfo=None))
        case date():
            return value.isoformat()
        case dict():
            return json.dumps(value)
        case _:
            return value


# In binary PostgreSQL counts microseconds and days from here.
FIRST_MOMENT, FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC), date(2000, 1, 1).toordinal()


def number(value: Any) -> int:
    """A whole number as either database sends it."""
    return value if isinstance(value, int) else int.from_bytes(value, "big", signed=True)


DECODERS: Mapping[str, Decoders] = {
    "postgresql": Decoders(
        text=bytes.decode,
        moment=lambda value: FIRST_MOMENT + timedelta(microseconds=number(value)),
        day=lambda value: date.fromordinal(FIRST_DAY + number(value)),
        flag=lambda value: value == b"\x01",
        byte=number,
    ),
    "sqlite": Decoders(
        text=str,
        moment=lambda value: datetime.fromisoformat(value).replace(tzinfo=UTC),
        day=date.fromisoformat,
        flag=bool,
        byte=lambda value: value[0],
    ),
}
