"""The processes of bench/log.py: one makes the world, eight write, one watches, one numbers."""

import json
import os
import random
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402 - Django must be set up first
from django.db.models import Count  # noqa: E402
from django.utils import timezone  # noqa: E402

from audit.actions import entries, sequence  # noqa: E402
from audit.actions.sequencing import check_head  # noqa: E402
from audit.models import Checkpoint, Entry  # noqa: E402
from audit.rules import Leaf, band  # noqa: E402
from audit.vocabulary import EntryType, Via  # noqa: E402
from bench import http_worker  # noqa: E402
from governance.models import AccessRequest, User  # noqa: E402
from governance.queries import requests  # noqa: E402
from release.actions import inquiries  # noqa: E402
from release.models import Inquiry  # noqa: E402

SAMPLED = 10  # every so many commits of a writer
TICK = 0.005


def world(folder: str) -> dict[str, object]:
    """The world of bench/http.py, its client numbers in a file; all of the log is numbered."""
    told = http_worker.world(folder)
    place = Path(folder) / "numbers.json"
    place.write_text(json.dumps(told["numbers"]), encoding="utf-8")
    while sequence():
        pass
    return {"request": told["request"], "numbers": str(place), "folder": folder}


def writer(seconds: str, ref: str, numbers: str) -> dict[str, object]:
    """Ask about one client after another; what each took, and when some were committed."""
    asked = AccessRequest.objects.select_related("dataset__holder").get(ref=ref)
    request = requests.asked_of(asked.dataset.holder, ref)
    if request is None:
        raise AssertionError("the request is not there")
    clients = json.loads(Path(numbers).read_text(encoding="utf-8"))
    machine = User.objects.get(username="harbor-machine")
    rng = random.Random(os.getpid())  # noqa: S311 - no secret
    took, permits, sampled = [], 0, []

    def one() -> Inquiry:
        return inquiries.answer(
            request=request,
            number=rng.choice(clients),
            by=machine,
            at=timezone.now(),
            via=Via.API,
        )

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        fsync, synchronous = cursor.fetchone()
    started, cpu, ends = time.time(), time.process_time(), time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        began = time.perf_counter()
        inquiry = one()
        took.append(round((time.perf_counter() - began) * 1000, 2))
        permits += inquiry.permitted
        if len(took) % SAMPLED == 0:
            sampled.append([time.time(), inquiry.entry_id])
    spent, used = time.time() - started, time.process_time() - cpu
    sample = Path(numbers).with_name(f"sample-{os.getpid()}.json")
    sample.write_text(json.dumps(sampled), encoding="utf-8")
    return {
        "took": took,
        "permits": permits,
        "seconds": spent,
        "cpu_ms": used * 1000,
        "fsync": fsync,
        "synchronous_commit": synchronous,
    }


def watch(seconds: str) -> dict[str, object]:
    """Each size of the signed log, with when it was first seen; until nothing waits any more."""
    heads: list[list[float]] = []
    ends = time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        size = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
        if not heads or size != heads[-1][1]:
            heads.append([time.time(), size])
        time.sleep(TICK)
    return {"heads": heads}


def numbers(folder: str) -> dict[str, object]:
    """When sampled entries were committed, and their numbers."""
    sampled = [
        each
        for file in Path(folder).glob("sample-*.json")
        for each in json.loads(file.read_text(encoding="utf-8"))
    ]
    seq = dict(Entry.objects.filter(pk__in=[pk for _, pk in sampled]).values_list("pk", "seq"))
    return {"committed": [[at, seq[pk]] for at, pk in sampled]}


def pile(count: str) -> dict[str, object]:
    """So many entries that wait."""
    for _ in range(int(count) // 2000):
        with transaction.atomic():
            entries._insert([_leaf() for _ in range(2000)])
    return {"waiting": Entry.objects.filter(seq__isnull=True).count()}


def number() -> dict[str, object]:
    """Number all that waits, as the sequencer does."""
    done, began, cpu = 0, time.perf_counter(), time.process_time()
    while numbered := sequence():
        done += numbered
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    check_head()
    return {
        "numbered": done,
        "seconds": round(spent, 3),
        "cpu_seconds": round(used, 3),
        "a_second": round(done / spent, 1),
        "load": os.getloadavg()[0],
    }


def counts() -> dict[str, object]:
    """What stands there."""
    answered = Entry.objects.filter(type=EntryType.INQUIRY_ANSWERED)
    doubled = Inquiry.objects.values("entry").annotate(times=Count("pk")).filter(times__gt=1)
    return {
        "inquiries": Inquiry.objects.count(),
        "entries": answered.count(),
        "numbered": answered.filter(seq__isnull=False).count(),
        "waiting": Entry.objects.filter(seq__isnull=True).count(),
        "doubled": doubled.count(),
    }


def _leaf() -> Leaf:
    return Leaf(
        type=EntryType.INQUIRY_ANSWERED,
        time=timezone.now(),
        actor="bench",
        via=Via.TASK,
        purpose="",
        resource="",
        decision="refused",
        reason="no_yes",
        policy="",
        epoch_everyone=0,
        epoch_scope=0,
        subjects_root=None,
        subjects_band=band(0),
        detail_commit="",
        nonce=os.urandom(16),
    )


if __name__ == "__main__":
    work = {
        "world": world,
        "writer": writer,
        "watch": watch,
        "numbers": numbers,
        "pile": pile,
        "number": number,
        "counts": counts,
    }
    print(json.dumps(work[sys.argv[1]](*sys.argv[2:])))
