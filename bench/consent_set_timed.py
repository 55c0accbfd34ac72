"""The timed half of bench/consent_set.py: a process of its own, on an empty database."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.db import connection  # noqa: E402

from bench.consents import fill, filling  # noqa: E402
from consent.models import Consent  # noqa: E402
from consent.queries.columns import moment  # noqa: E402
from consent.queries.sets import CLAUSES, consent_sets, open_sets  # noqa: E402
from consent.rules import Ask, ConsentFact, ConsentSets, standing  # noqa: E402
from consent.vocabulary import Ending, Standing  # noqa: E402

HOLDER, RECIPIENT, PURPOSE = 1, 2, 1
COLUMNS = ("starts", "ends", "record_until", "paused_at", "paused_until", "ended_at", "ending")
FIRST = date(1970, 1, 1)


def timed(people: int, turns: int) -> None:
    """Fill, time all three in turn, compare with the rule, and print one JSON line."""
    call_command("migrate", verbosity=0, interactive=False)
    with filling():
        fill(people)
    since = datetime.now(UTC)
    until = since + timedelta(minutes=2)
    asked = {
        "holder": HOLDER,
        "ask": Ask(RECIPIENT, "research", PURPOSE),
        "since": since,
        "until": until,
    }
    variants: dict[str, Callable] = {
        "count": lambda: _count(since, until),
        "ours": lambda: open_sets(**asked),
        "with_grounds": lambda: consent_sets(**asked),
    }
    _check(variants["with_grounds"](), variants["count"](), since, until)
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for turn in range(turns + 1):
        for name in names[turn % 3 :] + names[: turn % 3]:
            began = time.perf_counter()
            variants[name]()
            if turn:  # the first turn warms up
                seconds[name].append(time.perf_counter() - began)
    ratios = {
        name: [own / base for own, base in zip(seconds[name], seconds["count"], strict=True)]
        for name in names
    }
    print(
        json.dumps(
            {
                "section": "consent_set",
                "database": connection.vendor,
                "rows": people * 5,
                "in_force": variants["count"](),
                **{f"{name}_s": round(statistics.median(seconds[name]), 4) for name in names},
                "ratio": round(statistics.median(ratios["ours"]), 3),
                "spread": [round(min(ratios["ours"]), 3), round(max(ratios["ours"]), 3)],
                "ratio_with_grounds": round(statistics.median(ratios["with_grounds"]), 3),
                "load": os.getloadavg()[0],
            }
        )
    )


def _count(since: datetime, until: datetime) -> int:
    clauses = [CLAUSES.asked, CLAUSES.running, CLAUSES.in_force]
    where = " AND ".join(sql for each in clauses for sql in each.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM consent_consent WHERE {where}",
            {
                "holder": HOLDER,
                "recipient": RECIPIENT,
                "purpose": PURPOSE,
                "since": moment(since),
                "until": moment(until),
            },
        )
        return cursor.fetchone()[0]


def _check(sets: ConsentSets, counted: int, since: datetime, until: datetime) -> None:
    """What was read in columns is what the rule says of each row, read one by one."""
    expected: dict[Standing, set] = {each: set() for each in Standing}
    rows = Consent.objects.filter(holder=HOLDER, recipient=RECIPIENT, purpose=PURPOSE)
    for slot, covers, *values in rows.values_list("subject", "category_set", *COLUMNS).iterator():
        given = dict(zip(COLUMNS, values, strict=True))
        given["ending"] = given["ending"] and Ending(given["ending"])
        fact = ConsentFact(versions=frozenset(), **given)
        stands = standing(fact, since, until)
        days = (fact.record_until - FIRST).days
        expected[stands].add((slot, covers, days) if stands is Standing.IN_FORCE else slot)
    covered = {
        frozenset(version for version in (1, 2, 3) if number >> (version - 1) & 1): number
        for number in range(1, 8)
    }
    found = {
        (slot, covered[yes.versions], day)
        for yes in sets.yeses
        for slot, day in zip(yes.slots.tolist(), yes.record_until.tolist(), strict=True)
    }
    people = sum(len(yes.slots) for yes in sets.yeses)
    if not (people == len(found) == counted) or found != expected.pop(Standing.IN_FORCE):
        raise AssertionError("the set is not what the server counts and the rule says")
    others = {each: set(slots.tolist()) for each, slots in sets.others.items()}
    if others != {each: slots for each, slots in expected.items() if slots}:
        raise AssertionError("the others are not those that the rule names")
    if not len(sets.objected) or not np.all(np.diff(sets.objected) > 0):
        raise AssertionError("nobody objects")


if __name__ == "__main__":
    timed(int(sys.argv[1]), int(sys.argv[2]))
