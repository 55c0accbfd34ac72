"""Many people in few values: how columns of people are read on either database.

A row each costs three times as much. PostgreSQL packs numbers into bytes, read in binary; SQLite
joins them as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from consent.rules import Slots

NOBODY: Slots = np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class Reading:
    """What is read of each row: a slot, a number to sort by, perhaps a day and the least moment.

    Every part is SQL. `parts`: conditions of which each row meets exactly one; PostgreSQL gives
    each to a process of its own, for it cannot gather one column in several (before version 16).
    """

    table: str
    slot: str
    key: str
    where: str
    day: str | None = None
    least: str | None = None
    parts: Sequence[str] = ("1 = 1",)


@dataclass(frozen=True)
class Columns:
    """Slots and days (since 1970; empty where none was read) by key, and the least moment."""

    slots: Mapping[int, Slots]
    days: Mapping[int, NDArray[np.int32]]
    least: datetime | None


def read(readings: Sequence[Reading], values: Mapping[str, Any]) -> Columns:
    """The rows of all readings, which read the same things, as columns by key."""
    if connection.vendor == "postgresql":
        return _packed(readings, values)
    return _joined(readings, values)


def moment(value: datetime) -> Any:
    """A moment as this database keeps it."""
    return connection.ops.adapt_datetimefield_value(value)


def among(column: str, slots: Sequence[int]) -> tuple[str, Any]:
    """The condition that a column is one of `%(slots)s`, and the value to give for them."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%(slots)s::integer[])", list(slots)
    numbers = ",".join(str(int(slot)) for slot in slots)
    theirs = "(SELECT value FROM json_each(%(slots)s))"
    return f"{column} IN {theirs}", f"[{numbers}]"


def _binary(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of PostgreSQL in binary, through Django's own connection: bytes do not travel as
    hexadecimal text. Django's cursors put values into the text on this side and cannot."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        # Never a plan of the server's: what it is asked for differs too much from time to time.
        return cursor.execute(sql, values, prepare=False, binary=True).fetchall()


def _packed(readings: Sequence[Reading], values: Mapping[str, Any]) -> Columns:
    selects = []
    for each in readings:
        send = f"int4send({each.slot})"
        if each.day is not None:
            day = f"({each.day} - DATE '1970-01-01')"
            send = f"int8send(({each.slot}::bigint << 32) | {day})"
        selects += [
            f"SELECT {each.key}, string_agg({send}, ''::bytea), {_least(each)}"  # noqa: S608 - our own clauses
            f" FROM {each.table} WHERE {each.where} AND {part} GROUP BY 1"
            for part in each.parts
        ]
    found: dict[int, bytes] = {}
    ends = []
    for key, packed, least in _binary(" UNION ALL ".join(selects), values):
        found[key] = found.get(key, b"") + packed
        ends.append(least)
    width = 1 if readings[0].day is None else 2
    arrays = {
        key: np.frombuffer(packed, dtype=">i4").reshape(-1, width).astype(np.int32)
        for key, packed in found.items()
    }
    return Columns(
        slots={key: np.ascontiguousarray(array[:, 0]) for key, array in arrays.items()},
        days={key: np.ascontiguousarray(array[:, width - 1]) for key, array in arrays.items()},
        least=min((end for end in ends if end is not None), default=None),
    )


def _joined(readings: Sequence[Reading], values: Mapping[str, Any]) -> Columns:
    slots, keys, days = [NOBODY], [NOBODY], [NOBODY]
    ends: list[datetime] = []
    for each in readings:
        dates = "''" if each.day is None else f"group_concat({each.day}, '')"
        with connection.cursor() as cursor:
            # One pass and no GROUP BY: sorting by key costs more than telling the keys apart here.
            cursor.execute(
                f"SELECT group_concat({each.slot}, ' '), group_concat({each.key}, ' '), {dates},"  # noqa: S608 - our own clauses
                f" {_least(each)} FROM {each.table} WHERE {each.where}",
                values,
            )
            ((slot, key, day, least),) = cursor.fetchall()
        if slot is None:
            continue
        slots.append(np.fromstring(slot, dtype=np.int32, sep=" "))
        keys.append(np.fromstring(key, dtype=np.int32, sep=" "))
        days.append(np.frombuffer(day.encode(), "S10").astype("datetime64[D]").astype(np.int32))
        if least is not None:  # SQLite keeps times as text, in UTC
            ends.append(datetime.fromisoformat(least).replace(tzinfo=UTC))
    everybody, kinds, dated = np.concatenate(slots), np.concatenate(keys), np.concatenate(days)
    found = [int(each) for each in np.unique(kinds)]
    return Columns(
        slots={each: everybody[kinds == each] for each in found},
        days={each: dated[kinds == each] for each in found} if len(dated) else {},
        least=min(ends, default=None),
    )


def _least(reading: Reading) -> str:
    return "NULL" if reading.least is None else f"MIN({reading.least})"
