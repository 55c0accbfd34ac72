"""The processes of bench/withdrawal.py: one makes the world, eight read, one says no, one checks."""

import json
import os
import random
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.utils import timezone  # noqa: E402
from rich.console import Console  # noqa: E402

from audit.actions import sequence  # noqa: E402
from audit.vocabulary import Via  # noqa: E402
from common.errors import NotReady, Void  # noqa: E402
from consent.actions import consents  # noqa: E402
from consent.models import Consent  # noqa: E402
from consent.vocabulary import Ending  # noqa: E402
from governance.models import AccessRequest, User  # noqa: E402
from governance.vocabulary import RequestState  # noqa: E402
from release.actions import handing, releases  # noqa: E402
from release.management.demo.story import Story  # noqa: E402
from release.management.demo.world import HARBOR, UNIVERSITY  # noqa: E402
from release.models import Release  # noqa: E402
from release.rules.bits import slots_of  # noqa: E402
from release.vocabulary import DownloadPart, ReleaseState  # noqa: E402

NOES_A_SECOND = 20


def world(folder: str) -> None:
    """The demonstration's world, played once."""
    call_command("migrate", verbosity=0, interactive=False)
    story = Story(
        console=Console(quiet=True),
        folder=Path(folder),
        seed=7,
        data=None,
        mapping=None,
        progress=lambda _phase, _done, _of: None,
    )
    story.play()


def reader(seconds: str) -> None:
    """Ask, prepare, fetch, again and again."""
    ends = time.monotonic() + float(seconds)
    request = AccessRequest.objects.get(state=RequestState.APPROVED, dataset__holder__name=HARBOR)
    by = User.objects.get(username="university-requester")
    while time.monotonic() < ends:
        try:
            asked = releases.ask(request=request, by=by, at=timezone.now(), via=Via.TASK)
            done = releases.run(release=asked, at=timezone.now(), worker=str(os.getpid()))
            if done.state == ReleaseState.PREPARED:
                handed = handing.hand_over(
                    release=done,
                    part=DownloadPart.PACKAGE,
                    by=by,
                    at=timezone.now(),
                    via=Via.API,
                )
                for _ in handed.chunks:
                    pass
        except (NotReady, Void):
            continue


def sayer(seconds: str) -> None:
    """Say no twenty times a second and time each acknowledgement."""
    ends = time.monotonic() + float(seconds)
    by = User.objects.get(username="harbor-advocate")
    running = list(
        Consent.objects.filter(
            ended_at__isnull=True,
            holder__name=HARBOR,
            recipient__name=UNIVERSITY,
            purpose__code="research",
        )
    )
    random.Random(7).shuffle(running)  # noqa: S311 - a repeatable order, no secret
    took = []
    while time.monotonic() < ends and running:
        began = time.perf_counter()
        consents.withdraw(consent=running.pop(), by=by, at=timezone.now(), via=Via.TASK)
        waited = time.perf_counter() - began
        took.append(waited * 1000)
        time.sleep(max(0.0, 1 / NOES_A_SECOND - waited))
    took.sort()
    print(
        json.dumps(
            {
                "section": "withdrawal",
                "noes": len(took),
                "p50_ms": round(took[len(took) // 2], 1),
                "p99_ms": round(took[int(len(took) * 0.99)], 1),
                "max_ms": round(took[-1], 1),
            }
        )
    )


def check() -> None:
    """How many packages were committed after a no that they do not know of."""
    while sequence():
        pass
    ended = dict(
        Consent.objects.filter(
            ending=Ending.WITHDRAWN, recipient__name=UNIVERSITY, purpose__code="research"
        ).values_list("subject_id", "ended_at")
    )
    bad = prepared = 0
    for release in Release.objects.filter(state=ReleaseState.PREPARED):
        prepared += 1
        inside = slots_of(release.uses.values_list("block", "bits")).tolist()
        answered = release.answered_at
        bad += any(ended[slot] < answered for slot in inside if slot in ended and answered)
    print(json.dumps({"section": "withdrawal", "packages": prepared, "bad": bad}))


if __name__ == "__main__":
    {"world": world, "reader": reader, "sayer": sayer, "check": check}[sys.argv[1]](*sys.argv[2:])
