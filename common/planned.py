"""One statement that each connection plans once, and what its values are in Python.

It goes through Django's own connection, but below Django's cursors and psycopg's: those cost more
than the statement itself (bench/decision.py), and Django's cannot leave the plan with the server.
"""

import json
import select
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

T = TypeVar("T")
U = TypeVar("U")
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
        vendor, (rows,) = _asked([(self, values)])
        return vendor, rows

    def on_sqlite(self, raw: sqlite3.Connection, values: Sequence[Value]) -> Rows:
        return raw.execute(self.sql["sqlite"], [_for_sqlite(value) for value in values]).fetchall()

    def on_postgresql(self, raw: psycopg.Connection[Any], values: Sequence[Value]) -> Rows:
        given: list[Any] = [_for_postgresql(value) for value in values]
        server = raw.pgconn
        if raw.prepare_threshold is None:  # config.settings says when
            sql = self.sql["postgresql"].encode()
            return _rows(server.exec_params(sql, given, self.types, result_format=Format.BINARY))
        self.prepare(raw)
        return _rows(server.exec_prepared(self.name, given, result_format=Format.BINARY))

    def send(self, raw: psycopg.Connection[Any], values: Sequence[Value]) -> None:
        """Send it without waiting for its rows; it was prepared before."""
        given: list[Any] = [_for_postgresql(value) for value in values]
        if raw.prepare_threshold is None:
            sql = self.sql["postgresql"].encode()
            raw.pgconn.send_query_params(sql, given, self.types, result_format=Format.BINARY)
        else:
            raw.pgconn.send_query_prepared(self.name, given, result_format=Format.BINARY)

    def prepare(self, raw: psycopg.Connection[Any]) -> None:
        """Leave the plan with the server, once a connection."""
        if raw.prepare_threshold is None or raw in self._known:
            return
        sql = self.sql["postgresql"].encode()
        result = raw.pgconn.prepare(self.name, sql, self.types)
        if result.status != ExecStatus.COMMAND_OK:
            raise _failed(result)
        self._known.add(raw)


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A statement with its values and what its rows mean, to be asked alone or beside others."""

    statement: Planned
    values: Sequence[Value]
    meaning: Callable[[str, Rows], T]

    def now(self) -> T:
        return self.meaning(*self.statement.rows(self.values))

    def then(self, further: Callable[[T], U]) -> "Reading[U]":
        """The same statement, and what is made of its meaning."""
        meaning = self.meaning
        return Reading(
            self.statement, self.values, lambda vendor, rows: further(meaning(vendor, rows))
        )


def side_by_side(*readings: Reading[Any]) -> Iterator[Any]:
    """Ask all of these with one wait for the server; what each means, in their order.

    Each is a statement of its own and sees what was committed when it begins, as if it were sent
    alone after the one before. The first that fails raises, and none after it was run.
    """
    vendor, found = _asked([(each.statement, each.values) for each in readings])
    return (each.meaning(vendor, rows) for each, rows in zip(readings, found, strict=True))


def _asked(asked: Sequence[tuple[Planned, Sequence[Value]]]) -> tuple[str, list[Rows]]:
    here = connections[DEFAULT_DB_ALIAS]
    here.close_if_health_check_failed()  # as Django's cursors do: this may be the first to ask
    here.ensure_connection()
    here.validate_no_broken_transaction()
    raw = here.connection
    with here.wrap_database_errors:
        if here.vendor != "postgresql":
            return here.vendor, [planned.on_sqlite(raw, values) for planned, values in asked]
        if len(asked) > 1:
            return here.vendor, _piped(raw, asked, opening=here.in_atomic_block)
        if here.in_atomic_block:
            begun(raw)
        planned, values = asked[0]
        return here.vendor, [planned.on_postgresql(raw, values)]


def _piped(
    raw: psycopg.Connection[Any],
    asked: Sequence[tuple[Planned, Sequence[Value]]],
    *,
    opening: bool,
) -> list[Rows]:
    """PostgreSQL's pipeline: statements are sent one behind the other and answered in that order."""
    for planned, _values in asked:
        planned.prepare(raw)
    server = raw.pgconn
    begins = _opening(raw) if opening else []
    try:
        server.enter_pipeline_mode()
        for statement in begins:
            server.send_query_params(statement.encode(), None)
        for planned, values in asked:
            planned.send(raw, values)
        server.pipeline_sync()
        results = list(_answers(server))
        server.exit_pipeline_mode()
    except BaseException:  # broken off half way: nobody could say whose answer comes next
        server.finish()
        raise
    # What comes after one that failed was not run, and says nothing.
    for result in results[: len(begins)]:
        if result.status != ExecStatus.COMMAND_OK:
            raise _failed(result)
    return [_rows(result) for result in results[len(begins) :]]


def _answers(server: PGconn) -> Iterator[PGresult]:
    """What comes back, up to the mark at the end; a server that has gone raises OperationalError."""
    waits = select.poll()
    waits.register(server.socket, select.POLLIN)
    while server.flush():
        select.select([], [server.socket], [])
    while True:
        while server.is_busy():
            waits.poll()
            server.consume_input()
        result = server.get_result()
        if result is None:  # so each statement's answers end
            if server.status == ConnStatus.BAD:
                raise _gone()
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return
        else:
            yield result


def _rows(result: PGresult) -> Rows:
    if result.status != ExecStatus.TUPLES_OK:
        raise _failed(result)
    columns = range(result.nfields)
    return [
        tuple([result.get_value(row, column) for column in columns])
        for row in range(result.ntuples)
    ]


def _failed(result: PGresult) -> psycopg.Error:
    """What went wrong. Where the server has gone without a word there is no code to tell it by."""
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return _gone()
    return error_from_result(result)


def _gone() -> psycopg.Error:
    return psycopg.OperationalError("The database has closed the connection.")


def begun(raw: psycopg.Connection[Any]) -> None:
    """Django has opened a transaction: psycopg would begin it with its own next statement."""
    for statement in _opening(raw):
        raw.pgconn.exec_(statement.encode())


def _opening(raw: psycopg.Connection[Any]) -> list[str]:
    return ["BEGIN"] if raw.pgconn.transaction_status == TransactionStatus.IDLE else []


def _for_postgresql(value: Any) -> bytes | None:
    """A value in PostgreSQL's text form."""
    known = AS_TEXT.get(type(value))
    if known is not None:
        return known(value)
    text: bytes = b"%d" % value if isinstance(value, int) else value.encode()
    return text  # words of a vocabulary


AS_TEXT: Mapping[type, Callable[[Any], bytes | None]] = {
    type(None): lambda _: None,
    str: str.encode,
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"%d" % value,
    bytes: lambda value: b"\\x" + value.hex().encode(),
    datetime: lambda value: value.isoformat().encode(),
    date: lambda value: value.isoformat().encode(),
    dict: lambda value: json.dumps(value).encode(),
}


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
