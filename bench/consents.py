"""Made-up consents and objections for the benchmarks, by the same SQL on both databases.

Everybody belongs to holder 1 and has five yeses, one for each purpose. The word asked about is
purpose 1 to recipient 2: everybody has one, 60 of 100 are in force (3 of them after a pause that is
over), 5 start tomorrow, 5 are paused, 10 were stopped and 20 have run out. Slots come in another
order than days, as they do where slots are random.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# A number between 0 and 2^31 for each yes, the same everywhere and evenly spread.
CHANCE = "((s * 5 + p) * 2654435761 % 4294967296) * 48271 % 2147483647"
DAY = 86_400
SETS = 7

PEOPLE = "INSERT INTO consent_subject (slot, holder_id, wrapped_key, enrolled_at) SELECT s, 1, '', {now} FROM {series}"
BLOCKS = "INSERT INTO consent_slotblock (id, holder_id, taken) SELECT s, 1, 8192 FROM {series}"
CONSENTS = """
INSERT INTO consent_consent (ref, subject_id, holder_id, recipient_id, purpose_id, category_set_id,
    terms_id, channel, signer, authority, signature, answers, signed_at, recorded_at,
    recorded_by_id, starts, ends, record_until, paused_at, paused_until, ended_at, ending)
SELECT 'con-' || s || '-' || p, (s * 48271) % {people}, 1,
    CASE WHEN p < 3 THEN 2 ELSE 2 + (s + p) % 4 END, p, 1 + chance / 100 % {sets},
    1, 'paper', 'self', '', 'binder', 'yyyyyyy', {signed}, {signed}, 1,
    CASE WHEN fate BETWEEN 60 AND 64 THEN {tomorrow} ELSE {signed} END,
    CASE WHEN fate >= 80 THEN {yesterday} ELSE {later} END,
    {day}, CASE WHEN fate BETWEEN 57 AND 59 OR fate BETWEEN 65 AND 69 THEN {signed} END,
    CASE WHEN fate BETWEEN 57 AND 59 THEN {yesterday} END,
    CASE WHEN fate BETWEEN 70 AND 79 THEN {yesterday} END,
    CASE WHEN fate BETWEEN 70 AND 79 THEN 'withdrawn' END
FROM (SELECT s, p, age, chance, chance % 100 AS fate FROM
    (SELECT s, p, {chance} AS chance, {DAY} * (2 + 300 - 300 * s / {people}) AS age
     FROM {series} CROSS JOIN (SELECT 1 AS p UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5) AS five) AS rolled) AS known
"""
# One person in fifty objects: to all of it or to a part, to this recipient, this kind, this purpose.
OBJECTIONS = """
INSERT INTO consent_objection (ref, subject_id, recipient_id, recipient_kind, purpose_id,
    category_id, made_at, made_by_id, lifted_at)
SELECT 'obj-' || s, s * 50, CASE WHEN s % 3 = 0 THEN 2 END,
    CASE WHEN s % 5 = 0 THEN 'police' ELSE '' END, CASE WHEN s % 7 = 0 THEN 1 END,
    CASE WHEN s % 2 = 0 THEN 1 + s % 3 END, {yesterday}, 1, CASE WHEN s % 11 = 0 THEN {now} END
FROM {series}
"""


def fill(people: int) -> None:
    """Five yeses a person, one objection in fifty people and seven sets of category versions.

    Inside `filling`.
    """
    values = {
        "people": people,
        "sets": SETS,
        "chance": CHANCE,
        "DAY": DAY,
        "now": _moment("0"),
        "signed": _moment("-age"),
        "yesterday": _moment(f"-{DAY}"),
        "tomorrow": _moment(f"{DAY}"),
        "later": _moment(f"{DAY} * (30 + chance % 300)"),
        "day": _moment("-age", "date"),
    }
    with connection.cursor() as cursor:
        for statement, count in (
            (PEOPLE, people),
            (BLOCKS, people // 8192 + 1),
            (CONSENTS, people),
            (OBJECTIONS, people // 50),
        ):
            cursor.execute(statement.format(series=_series(count), **values))
        for number in range(1, SETS + 1):
            cursor.execute(f"INSERT INTO consent_categoryset VALUES ({number}, 'set {number}')")
            for version in (1, 2, 3):
                if number >> (version - 1) & 1:
                    cursor.execute(
                        "INSERT INTO consent_categorysetitem (set_id, version_id)"
                        f" VALUES ({number}, {version})"
                    )


@contextmanager
def filling() -> Iterator[None]:
    """No foreign keys, triggers and checks: most of what they ask for is not here. Then ANALYZE."""
    with connection.cursor() as cursor:
        _unguarded(cursor, on=True)
        yield
        _unguarded(cursor, on=False)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _unguarded(cursor, *, on: bool) -> None:
    if connection.vendor == "postgresql":
        role = "replica" if on else "origin"
        cursor.execute(f"SET session_replication_role = {role}")
        return
    cursor.execute(f"PRAGMA foreign_keys = {'OFF' if on else 'ON'}")
    cursor.execute(f"PRAGMA ignore_check_constraints = {'ON' if on else 'OFF'}")
    if on:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")


NOW = int(time.time())


def _moment(seconds: str, kind: str = "moment") -> str:
    """SQL of a moment, or of its day, so many seconds from now."""
    at = f"{NOW} + {seconds}"
    if connection.vendor == "postgresql":
        found = f"to_timestamp({at})"
        return f"({found} AT TIME ZONE 'UTC')::date" if kind == "date" else found
    form = "%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%M:%S"
    return f"strftime('{form}', {at}, 'unixepoch')"


def _series(count: int) -> str:
    if connection.vendor == "postgresql":
        return f"(SELECT s FROM generate_series(0::bigint, {count - 1}) AS s) AS series"
    return (
        "(WITH RECURSIVE numbers(s) AS (SELECT 0 UNION ALL SELECT s + 1 FROM numbers"
        f" WHERE s < {count - 1}) SELECT s FROM numbers) AS series"
    )
