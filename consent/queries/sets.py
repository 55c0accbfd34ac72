"""Everybody's word on one ask, read in columns; the meaning stands in `consent.rules.word`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection

from consent.models import CategorySetItem
from consent.rules import Ask, ConsentSets, Slots, Yeses
from consent.vocabulary import Standing

# Each clause has its own test that removes it and sees the set come out wrong. None may ever be
# NULL: whoever is not in force is asked for with NOT, and NOT NULL is nobody.
ASKED: Mapping[str, str] = {
    "holder": "holder_id = %(holder)s",
    "recipient": "recipient_id = %(recipient)s",
    "purpose": "purpose_id = %(purpose)s",
}
IN_FORCE: Mapping[str, str] = {
    "not_ended": "ended_at IS NULL",
    "started": "starts <= %(since)s",
    "not_over": "ends > %(since)s",
    "lasts": "ends >= %(until)s",
    "not_paused": (
        "(paused_at IS NULL OR (paused_until IS NOT NULL AND paused_until <= %(since)s))"
    ),
}
OBJECTING: Mapping[str, str] = {
    "objection_holder": "s.holder_id = %(holder)s",
    "objection_stands": "o.lifted_at IS NULL",
    "objection_recipient": "(o.recipient_id IS NULL OR o.recipient_id = %(recipient)s)",
    "objection_kind": "(o.recipient_kind = '' OR o.recipient_kind = %(kind)s)",
    "objection_purpose": "(o.purpose_id IS NULL OR o.purpose_id = %(purpose)s)",
}
STANDING = """CASE
    WHEN ended_at IS NOT NULL THEN 'withdrawn'
    WHEN paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > %(since)s) THEN 'paused'
    WHEN starts > %(since)s THEN 'not_started'
    ELSE 'expired' END"""


@dataclass(frozen=True)
class Clauses:
    """The WHERE clauses by name, so that a test can take one away."""

    asked: Mapping[str, str]
    in_force: Mapping[str, str]
    objecting: Mapping[str, str]


CLAUSES = Clauses(asked=ASKED, in_force=IN_FORCE, objecting=OBJECTING)


def consent_sets(
    *,
    holder: int,
    ask: Ask,
    since: datetime,
    until: datetime,
    slots: Collection[int] | None = None,
    clauses: Clauses = CLAUSES,
) -> ConsentSets:
    """Everybody's word to `holder` on `ask`, for the whole of [since, until].

    With `slots`, only these people's.
    """
    if slots is not None:
        clauses = _only(clauses, slots)
    values = {
        "holder": holder,
        "recipient": ask.recipient,
        "kind": ask.recipient_kind,
        "purpose": ask.purpose,
        "since": _stored(since),
        "until": _stored(until),
    }
    asked = " AND ".join(clauses.asked.values()) or "1 = 1"
    in_force = " AND ".join(clauses.in_force.values()) or "1 = 1"
    rows = _rows(
        f"SELECT category_set_id, {_pairs()}, MIN(ends)"  # noqa: S608 - our own clauses
        f" FROM consent_consent WHERE {asked} AND {in_force} GROUP BY category_set_id",
        values,
    )
    versions = _versions([row[0] for row in rows])
    others = _rows(
        f"SELECT {STANDING}, {_slots('subject_id')}"  # noqa: S608 - our own clauses
        f" FROM consent_consent WHERE {asked} AND NOT ({in_force}) GROUP BY 1",
        values,
    )
    objecting = " AND ".join(clauses.objecting.values()) or "1 = 1"
    objections = dict(
        _rows(
            f"SELECT o.category_id, {_slots('o.subject_id')}"  # noqa: S608 - our own clauses
            f" FROM consent_objection o JOIN consent_subject s ON s.slot = o.subject_id WHERE {objecting}"
            " GROUP BY o.category_id",
            values,
        )
    )
    ends = [_moment(row[2]) for row in rows]
    return ConsentSets(
        yeses=tuple(_yeses(versions[row[0]], row[1]) for row in rows),
        others={Standing(name): np.unique(_array(slots)) for name, slots in others},
        objected=np.unique(_array(objections.pop(None, None))),
        objected_categories={
            category: np.unique(_array(slots)) for category, slots in objections.items()
        },
        earliest_end=min(ends, default=None),
    )


def _only(clauses: Clauses, slots: Collection[int]) -> Clauses:
    numbers = ", ".join(str(int(slot)) for slot in slots) or "-1"
    return Clauses(
        asked={**clauses.asked, "slots": f"subject_id IN ({numbers})"},
        in_force=clauses.in_force,
        objecting={**clauses.objecting, "slots": f"o.subject_id IN ({numbers})"},
    )


def _rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(value: Any) -> datetime:
    if isinstance(value, str):  # SQLite keeps times as text, in UTC
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    found: datetime = value
    return found


def _slots(column: str) -> str:
    """An aggregate that carries many slots in one value: 3 times as fast as a row each."""
    if connection.vendor == "postgresql":
        return f"string_agg(int4send({column}), ''::bytea)"
    return f"group_concat({column}, ' ')"


def _pairs() -> str:
    if connection.vendor == "postgresql":
        return (
            "string_agg(int4send(subject_id)"
            " || int4send(record_until - DATE '1970-01-01'), ''::bytea)"
        )
    day = "CAST(julianday(record_until) - 2440587.5 AS INTEGER)"
    return f"group_concat(subject_id || ' ' || {day}, ' ')"


def _array(packed: bytes | str | None) -> Slots:
    if packed is None:
        return np.empty(0, dtype=np.int32)
    if isinstance(packed, str):
        return np.fromstring(packed, dtype=np.int32, sep=" ")
    return np.frombuffer(packed, dtype=">i4").astype(np.int32)


def _yeses(versions: frozenset[int], packed: bytes | str) -> Yeses:
    pairs = _array(packed).reshape(-1, 2)
    return Yeses(
        versions=versions,
        slots=np.ascontiguousarray(pairs[:, 0]),
        record_until=np.ascontiguousarray(pairs[:, 1]),
    )


def _versions(sets: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {each: set() for each in sets}
    for each, version in CategorySetItem.objects.filter(set_id__in=sets).values_list(
        "set_id", "version_id"
    ):
        found[each].add(version)
    return {each: frozenset(items) for each, items in found.items()}
