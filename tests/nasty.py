"""What nobody should send, by kind: texts, numbers, days, words, flags, paths and lists of them."""

import typing
from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection

from common import inputs
from common.inputs import LARGEST_TEXT, Limit, Number, Text

# Signs that cannot be kept, or that show something else than what is kept.
SIGNS = {
    "NUL": "a\0b",
    "half a character": "a\ud800b",
    "the other half": "\udfff",
    "a bell": "a\x07b",
    "an escape": "\x1b[2J",
    "a C1 control": "a\x85b\x9b",
    "delete": "a\x7fb",
    "turned round": "a\u202eb",
    "a sign that could not be read": "a\ufffdb",
}
ALWAYS = ("NUL", "half a character", "the other half")
OTHERS = [b"text", 5, 1.5, True, {"a": 1}, object()]
HUGE = [2**63, -(2**63) - 1, 2**64, 10**400, -(10**400)]
FAR = timezone(timedelta(hours=14))

# As bytes of a form that was sent: what a browser, or something else, may put into a text.
SENT = {
    "NUL": "a%00b",
    "half a character": "a%ED%A0%80b",
    "bytes that are no text": "%FF%FE",
    "a bell": "a%07b",
    "an escape": "%1B[2J",
    "turned round": "a%E2%80%AEb",
    "nothing": "",
    "blanks": "+%20+",
}
DAYS = ["0000-01-01", "0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "10000-01-01"]
DAYS += ["2026-02-31", "2026-13-01", "9" * 40, "-1", "2026-11-02T09%3A00", "a%00b", "", "%FF"]
CHOICES = ["nonsense", "a%00b", "%FF%FE", "9" * 40, "x" * 5000]
FORM = "application/x-www-form-urlencoded"


def texts(limit: Text) -> Iterator[object]:
    yield from (sign for name, sign in SIGNS.items() if name in ALWAYS or not limit.anything)
    if not limit.lines and not limit.anything:
        yield from ("two\nlines", "a\tb", "a\u2028b", "zero\u200bwidth")
    if limit.slug:
        yield from ("two words", "ñandú", "a/b", "a;b")
    if limit.least:
        yield from ("", "   ")
    yield "x" * (limit.most + 1)
    yield from OTHERS
    yield ["text"]


def numbers(limit: Number) -> Iterator[object]:
    yield from HUGE
    yield from (limit.least - 1, limit.most + 1)
    yield from (True, "5", 1.5, float("nan"), b"5", [5], {"a": 5})


def instants() -> Iterator[object]:
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    yield from (now.replace(tzinfo=None), now.date(), "2026-11-02T09:00:00Z", "2026-02-31", 0)
    yield from (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    yield from (datetime.min.replace(tzinfo=FAR), datetime.max.replace(tzinfo=FAR))
    yield from (now.replace(year=1899), now.replace(year=2200), [now])


def days() -> Iterator[object]:
    yield from (date.min, date.max, date(1899, 12, 31), date(2200, 1, 1))
    yield from (datetime(2026, 11, 2, 9, tzinfo=UTC), "2026-11-02", "2026-02-31", 0)


def words() -> Iterator[object]:
    yield from ("nonsense", "", "a\0b", "\ud800", 5, ["yes"], b"yes", {"a": 1})


PLAIN: dict[type, Any] = {
    float: lambda: (float("nan"), float("inf"), 10**400, "0.5", True, [0.5]),
    bool: lambda: ("yes", 1, 0, None, [True]),
    date: days,
    datetime: instants,
    bytes: lambda: ("text", 5, [b"text"]),
    Path: lambda: (Path("a\0b"), Path("x" * 5000), Path("\ud800"), "text", 5),
}


def of_kind(kind: Any, good: object, limit: Limit | None = None) -> Iterator[object]:
    """Nasty values of a kind (an annotation); `good` is one that is not, to be spoilt."""
    members = [m for m in typing.get_args(kind) if m is not type(None)]
    if typing.get_origin(kind) in inputs.UNIONS:
        yield from of_kind(members[0], good, limit)
    elif typing.get_origin(kind) in inputs.MANY:
        assert isinstance(good, (list, tuple))
        yield from ("text", b"text", 5, {"a": 1})
        for nasty in of_kind(members[0], good[0], limit):
            yield [*good, nasty]
    elif is_dataclass(kind):
        yield from _of_parts(kind, good)
    else:
        yield from _of_one(kind, limit)


def _of_parts(kind: Any, good: Any) -> Iterator[object]:
    yield "no such thing"
    for each in fields(kind):
        if known(each.type):
            for nasty in of_kind(each.type, getattr(good, each.name)):
                yield replace(good, **{each.name: nasty})


def _of_one(kind: Any, limit: Limit | None) -> Iterator[object]:
    if kind is str:
        yield from texts(limit if isinstance(limit, Text) else Text(most=LARGEST_TEXT))
    elif kind is int:
        yield from numbers(limit if isinstance(limit, Number) else Number())
    elif kind in PLAIN:
        yield from PLAIN[kind]()
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from words()


def known(kind: Any) -> bool:
    """Whether there are nasty values of this kind: a text, a number, a day, a word, or such in it."""
    if typing.get_origin(kind) in (*inputs.UNIONS, *inputs.MANY):
        return known(next(m for m in typing.get_args(kind) if m is not type(None)))
    if kind in (str, int) or kind in PLAIN:
        return True
    if not isinstance(kind, type):
        return False
    return issubclass(kind, Enum) or (
        is_dataclass(kind) and any(known(f.type) for f in fields(kind))
    )


def written() -> object:
    """Equal to what it was: nothing has been written since. On SQLite only; elsewhere never equal."""
    if connection.vendor != "sqlite":
        return object()
    connection.ensure_connection()
    return id(connection.connection), connection.connection.total_changes


def everything(but: Collection[str] = ()) -> str:
    """A digest of all that is stored, apart from sessions and their sittings: equal before and after,
    nothing was written.

    `but`: labels of models, such as `audit.Entry`, whose rows do not count.
    """
    found = sha256()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.label not in {"sessions.Session", "governance.Sitting", *but}:
                table, key = model._meta.db_table, model._meta.pk.column
                cursor.execute(f'SELECT * FROM "{table}" ORDER BY "{key}"')  # noqa: S608 - our own tables
                found.update(repr(cursor.fetchall()).encode())
    return found.hexdigest()
