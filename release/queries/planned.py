"""One statement that each connection plans once, and what its values are in Python.

It goes through Django's own connection, but below Django's cursors and psycopg's: those cost more
than the statement itself (bench/decision.py), and Django's cannot leave the plan with the server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format

BIGINT, INTEGER = 20, 23  # PostgreSQL's numbers of these types
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
    """A statement in the dialect of each database, its values numbers in a fixed order.

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

    def rows(self, values: Sequence[int]) -> tuple[str, Rows]:
        """The database's vendor and the rows as it sends them: `DECODERS` says what they are."""
        here = connections[DEFAULT_DB_ALIAS]
        here.ensure_connection()
        here.validate_no_broken_transaction()
        with here.wrap_database_errors:
            if here.vendor == "postgresql":
                return here.vendor, self._sent(here.connection, values)
            return here.vendor, here.connection.execute(self.sql[here.vendor], values).fetchall()

    def _sent(self, raw: psycopg.Connection[Any], values: Sequence[int]) -> Rows:
        given = [b"%d" % value for value in values]
        server = raw.pgconn
        if raw.prepare_threshold is None:  # config.settings says when
            sql = self.sql["postgresql"].encode()
            result = server.exec_params(sql, given, self.types, result_format=Format.BINARY)
        else:
            if raw not in self._known:
                self._prepare(raw)
            result = server.exec_prepared(self.name, given, result_format=Format.BINARY)
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result)
        columns = range(result.nfields)
        return [
            tuple([result.get_value(row, column) for column in columns])
            for row in range(result.ntuples)
        ]

    def _prepare(self, raw: psycopg.Connection[Any]) -> None:
        sql = self.sql["postgresql"].encode()
        result = raw.pgconn.prepare(self.name, sql, self.types)
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
        self._known.add(raw)


# In binary PostgreSQL counts microseconds and days from here.
FIRST_MOMENT, FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC), date(2000, 1, 1).toordinal()


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


DECODERS: Mapping[str, Decoders] = {
    "postgresql": Decoders(
        text=bytes.decode,
        moment=lambda value: FIRST_MOMENT + timedelta(microseconds=_number(value)),
        day=lambda value: date.fromordinal(FIRST_DAY + _number(value)),
        flag=lambda value: value == b"\x01",
        byte=_number,
    ),
    "sqlite": Decoders(
        text=str,
        moment=lambda value: datetime.fromisoformat(value).replace(tzinfo=UTC),
        day=date.fromisoformat,
        flag=bool,
        byte=lambda value: value[0],
    ),
}
