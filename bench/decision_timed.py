"""The timed half of bench/decision.py: a process of its own, on an empty database."""

import json
import os
import random
import sys
import time
from datetime import date, timedelta

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench import decision_world  # noqa: E402
from governance.models import AccessRequest, User  # noqa: E402
from release.models import Release  # noqa: E402
from release.queries import facts, person  # noqa: E402
from release.rules.decide import Plan, Refusal, decide  # noqa: E402

CHECKED = 1000
WARM = 500
FIRST = date(1970, 1, 1)


def timed(runs: int) -> None:
    """Make the world, compare with a whole release, time both in turn, print one JSON line."""
    call_command("migrate", verbosity=0, interactive=False)
    request, by = decision_world.make()
    slots = random.Random(7).choices(range(decision_world.PEOPLE), k=runs + WARM)  # noqa: S311
    _check(request, by, slots[:CHECKED])
    floor, ours = [], []
    for slot in slots:
        at = timezone.now()
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            cursor.fetchone()
        middle = time.perf_counter()
        person.answer(request=request, slot=slot, by=by, since=at)
        ours.append(time.perf_counter() - middle)
        floor.append(middle - began)
    floor, ours = sorted(floor[WARM:]), sorted(ours[WARM:])
    print(
        json.dumps(
            {
                "section": "decision",
                "database": connection.vendor,
                "runs": runs,
                "select_1_us": _spread(floor),
                "ours_us": _spread(ours),
                "ratio": round(ours[runs // 2] / floor[runs // 2], 3),
                "load": os.getloadavg()[0],
            }
        )
    )


def _spread(seconds: list[float]) -> dict[str, float]:
    count = len(seconds)
    return {
        f"p{part}": round(seconds[count * part // 100] * 1e6, 1) for part in (5, 25, 50, 75, 90, 99)
    }


def _check(request: AccessRequest, by: User, slots: list[int]) -> None:
    """Each answer is what one decision about everybody says of her."""
    release = Release(
        request=request,
        holder=request.dataset.holder,
        recipient=request.requester,
        purpose=request.purpose,
        asked_by=by,
    )
    at = timezone.now()
    plan = decide(facts.gather_facts(release, facts.current_version(release), at, at))
    if not isinstance(plan, Plan):
        raise AssertionError(f"the whole release is refused: {plan.grounds}")  # noqa: TRY004 - no type error: a world made wrongly
    opened = 0
    for slot in slots:
        answer = person.answer(request=request, slot=slot, by=by, since=at)
        place = np.flatnonzero(plan.people.slots == slot)
        if isinstance(answer, Refusal):
            grounds = tuple(each for each, theirs in plan.withheld.items() if slot in theirs)
            same = not len(place) and answer.grounds == grounds
        else:
            bits = int(plan.people.groups[place[0]]) if len(place) else 0
            day = FIRST + timedelta(days=int(plan.people.record_until[place[0]]))
            columns = tuple(each.name for each in plan.columns if bits >> each.group & 1)
            same = (answer.columns, answer.record_until) == (columns, day)
            opened += 1
        if not same:
            raise AssertionError(
                f"one person's answer is another than the whole release's: {answer}"
            )
    if not len(slots) * 0.4 < opened < len(slots) * 0.7:
        raise AssertionError("not as many are open as were made to be")


if __name__ == "__main__":
    timed(int(sys.argv[1]))
