"""The hands of bench/recovery.py: does what each line of its input says, and answers one line of JSON."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models import Max  # noqa: E402 - Django must be set up first
from django.utils import timezone  # noqa: E402

from audit.models import Entry  # noqa: E402
from audit.vocabulary import Via  # noqa: E402
from bench.long_release_worker import approved  # noqa: E402
from bench.work_hands import check, waiting  # noqa: E402
from governance.models import User  # noqa: E402
from governance.queries import clock  # noqa: E402
from release.actions import asking  # noqa: E402
from release.models import Beat  # noqa: E402


def ask() -> str:
    """One more release waits."""
    by = User.objects.get(username="university-requester")
    return asking.ask(request=approved(), by=by, at=timezone.now(), via=Via.TASK).ref


def standing() -> dict:
    """What is not done yet, and when any worker of the clock was last seen, by the database's time."""
    last = Beat.objects.aggregate(last=Max("at"))["last"]
    return {
        "waiting": waiting(),
        "unnumbered": Entry.objects.filter(seq__isnull=True).count(),
        "beat": last.timestamp() if last else 0.0,
        "now": clock.now().timestamp(),
    }


DEEDS = {"ask": ask, "standing": standing, "check": check}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(DEEDS[line.strip()]()), flush=True)
