"""The timed half of bench/uses.py: a process of its own, on an empty database.

Every release holds three categories of about six people in ten, keeps back the rest for two grounds,
and was fetched part by part; a part is one block of people. Rows are copied in with the triggers off.
"""

import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.db import connection, transaction  # noqa: E402

from bench.consents import filling  # noqa: E402
from bench.proofs_worker import timed  # noqa: E402
from consent.models import Subject  # noqa: E402
from governance.models import (  # noqa: E402
    AccessRequest,
    DataCategory,
    Organisation,
    Purpose,
    User,
)
from release.models import Download, Release, ReleasePart, Sending, Use, Withheld  # noqa: E402
from release.queries import uses  # noqa: E402
from release.rules.bits import BLOCK, slots_of  # noqa: E402
from release.rules.packed import pack  # noqa: E402

START = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = (1, 2, 3)
COLUMNS = ["age_band", "region", "visits", "needs"]
MANY = 5000


def fill(people: int, releases: int) -> None:
    """Two organisations, one request, and the releases; whoever is in them is chance, the same each
    time."""
    user = User.objects.create(username="one", kind="staff")
    for number, kind in ((1, "service_provider"), (2, "research")):
        Organisation.objects.create(pk=number, name=f"Place {number}", kind=kind, created_at=START)
    Purpose.objects.create(pk=1, code="research", kind="research", longest_days=90)
    for number in CATEGORIES:
        DataCategory.objects.create(pk=number, code=f"c{number}", label_en="c", label_es="c")
    AccessRequest.objects.create(
        pk=1, requester_id=2, dataset_id=1, purpose_id=1, agreement_id=1, starts=START,
        ends=START + timedelta(days=900), state="approved", created_by=user, created_at=START,
        submitted_at=START,
    )  # fmt: skip
    blocks = people // BLOCK + 1
    chance = np.random.default_rng(7)
    for number in range(1, releases + 1):
        at = START + timedelta(hours=number)
        Release.objects.create(
            pk=number, release_class="dataset", request_id=1, holder_id=1, recipient_id=2,
            purpose_id=1, asked_by=user, asked_at=at, state="prepared", answered_at=at,
            format="parquet", good_until=at + timedelta(days=1), manifest=b"x" * 20_000,
            epoch_everyone=0, epoch_scope=0, entry_id=1, version_id=1, key_id=1,
        )  # fmt: skip
        inside = chance.random(blocks * BLOCK) < 0.6
        _put(number, at, user.pk, inside.reshape(blocks, BLOCK))


def _put(number: int, at: datetime, by: int, inside: np.ndarray) -> None:
    bits = [np.packbits(block, bitorder="little").tobytes() for block in inside]
    without = [np.packbits(~block, bitorder="little").tobytes() for block in inside]
    Use.objects.bulk_create(
        [
            Use(release_id=number, category_id=category, columns=COLUMNS, block=block, bits=each)
            for block, each in enumerate(bits)
            for category in CATEGORIES
        ],
        batch_size=MANY,
    )
    Withheld.objects.bulk_create(
        Withheld(release_id=number, ground=ground, block=block, bits=each)
        for ground in ("no_consent", "withdrawn")
        for block, each in enumerate(without)
    )
    ReleasePart.objects.bulk_create(
        ReleasePart(
            release_id=number, number=block + 1, name=f"{number}-{block}", source=block, rows=1,
            size=1, sha256="0" * 64,
            slots=pack((np.flatnonzero(each) + block * BLOCK).astype(np.int32)),
        )
        for block, each in enumerate(inside)
    )  # fmt: skip
    first = number * len(inside)
    Download.objects.bulk_create(
        Download(
            pk=first + block, ref=f"dow-{number}-{block}", release_id=number, part="part",
            number=block + 1, by_id=by, at=at, epoch_everyone=0, epoch_scope=0, entry_id=1,
        )
        for block in range(len(inside))
    )  # fmt: skip
    Sending.objects.bulk_create(
        Sending(download_id=first + block, at=at) for block in range(len(inside))
    )


def check(subject: Subject) -> set[int]:
    """The floor: every bit of every chunk of her block."""
    rows = Use.objects.filter(block=subject.slot // BLOCK).values_list(
        "release_id", "block", "bits"
    )
    return {release for release, block, bits in rows if subject.slot in slots_of([(block, bits)])}


def main() -> None:
    people, releases, turns = map(int, sys.argv[1:4])
    call_command("migrate", verbosity=0, interactive=False)
    with filling(), transaction.atomic():
        fill(people, releases)
    chance = random.Random(11)  # noqa: S311 - who is asked about
    hers = [Subject(slot=chance.randrange(people), holder_id=1, wrapped_key=b"") for _ in range(20)]
    for subject in hers[:3]:
        found = uses.containing(subject)
        if found != check(subject) or not found:
            raise AssertionError("other releases were found than hold her")
    again = hers * max(1, turns)
    told = {
        "floor": timed([lambda s=s: check(s) for s in hers[:5]]),
        "containing": timed([lambda s=s: uses.containing(s) for s in again]),
        "lines": timed([lambda s=s: uses._lines(s) for s in again]),
        "a_page": timed(
            [lambda s=s: uses.told(uses._newest_first(uses._lines(s))[:20]) for s in hers]
        ),
        "all_of_it": timed([lambda s=s: uses.of_subject(s) for s in hers[:3]]),
    }
    facts = {"people": people, "releases": releases, "database": connection.vendor}
    print(json.dumps({"section": "uses", **facts, **told, "load": round(os.getloadavg()[0], 2)}))


if __name__ == "__main__":
    main()
