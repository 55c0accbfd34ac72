"""The hands of bench/work.py: ask for many releases, watch them being answered, look at the answers."""

import json
import os
import sys
import time
from collections import Counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up first

from audit.models import Entry  # noqa: E402
from audit.vocabulary import EntryType, Via  # noqa: E402
from bench.long_release_worker import approved  # noqa: E402
from governance.models import User  # noqa: E402
from release.actions import asking  # noqa: E402
from release.models import Release, ReleasePart  # noqa: E402
from release.storage import store  # noqa: E402
from release.vocabulary import ReleaseState  # noqa: E402

WARM = 20  # answered before the time is taken: workers have started


def ask(many: str) -> dict:
    request = approved()
    by = User.objects.get(username="university-requester")
    began = time.perf_counter()
    for _ in range(int(many)):
        asking.ask(request=request, by=by, at=timezone.now(), via=Via.TASK)
    return {"asked_s": round(time.perf_counter() - began, 2)}


def waiting() -> int:
    return Release.objects.filter(state=ReleaseState.WAITING).count()


def watch() -> dict:
    all_of_them = waiting()
    while all_of_them - waiting() < min(WARM, all_of_them // 2):
        time.sleep(0.1)
    began, left = time.perf_counter(), waiting()
    while waiting():
        time.sleep(0.1)
    took = time.perf_counter() - began
    return {"seconds": round(took, 2), "a_second": round(left / took, 2)}


def check() -> dict:
    kinds = [EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED]
    times = Counter(Entry.objects.filter(type__in=kinds).values_list("resource", flat=True))
    known = ReleasePart.objects.filter(release__wiped_at__isnull=True).values_list(
        "name", flat=True
    )
    missing = sum(not store().exists(name) for name in known)
    if missing:
        raise AssertionError(f"{missing} parts are missing")
    states = Counter(Release.objects.values_list("state", flat=True))
    return {
        "waiting": waiting(),
        "not_once": sum(
            times[ref] != 1
            for ref in Release.objects.exclude(state=ReleaseState.WAITING).values_list(
                "ref", flat=True
            )
        ),
        "states": dict(states),
    }


if __name__ == "__main__":
    deed, *given = sys.argv[1:]
    print(json.dumps({"ask": ask, "watch": watch, "check": check}[deed](*given)))
