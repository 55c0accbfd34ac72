"""The processes of bench/long_release.py: one makes the world, one releases, one says no."""

import io
import json
import os
import random
import select
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import numpy as np  # noqa: E402 - Django must be set up first
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from audit.vocabulary import Via  # noqa: E402
from bench.withdrawal_worker import world as small_world  # noqa: E402
from consent.actions import consents, subjects  # noqa: E402
from consent.models import Consent, Subject  # noqa: E402
from governance.models import AccessRequest, User  # noqa: E402
from governance.vocabulary import RequestState  # noqa: E402
from release.actions import releases  # noqa: E402
from release.actions.loading.limits import LIMITS  # noqa: E402
from release.actions.loading.writing import parquet  # noqa: E402
from release.models import DatasetVersion, Presence, StoredPart, VersionColumn  # noqa: E402
from release.queries import facts  # noqa: E402
from release.rules.bits import chunks_of, slots_of  # noqa: E402
from release.storage import seal, store, unseal  # noqa: E402
from release.vocabulary import Ground  # noqa: E402

ROWS_A_PERSON = 10
NOES_A_SECOND = 10


def approved() -> AccessRequest:
    """The first one of the demonstration's; its second is at another holder."""
    found = AccessRequest.objects.select_related("dataset__holder", "requester", "purpose")
    return found.filter(state=RequestState.APPROVED).earliest("pk")


def world(folder: str, rows: str) -> None:
    """The demonstration's world, and one more version of its dataset, as large as asked for."""
    small_world(folder)
    request = approved()
    steward = User.objects.get(username="harbor-steward")
    old = DatasetVersion.objects.filter(dataset=request.dataset).latest("number")
    people = int(rows) // ROWS_A_PERSON
    known = set(Subject.objects.values_list("slot", flat=True))
    for start in range(0, people, 10_000):
        digests = [f"{start + at:032d}".encode() for at in range(min(10_000, people - start))]
        subjects.enrol(
            holder=request.dataset.holder,
            digests=digests,
            by=steward,
            at=timezone.now(),
            via=Via.COMMAND,
        )
    slots = np.array(
        sorted(set(Subject.objects.values_list("slot", flat=True)) - known), dtype=np.int32
    )
    _yeses(request, slots)
    _version(request, old, slots)


def _yeses(request: AccessRequest, slots: np.ndarray) -> None:
    """60 % say yes, in the words of one of the demonstration's people."""
    like = Consent.objects.filter(
        ended_at__isnull=True,
        paused_at__isnull=True,
        holder=request.dataset.holder,
        recipient=request.requester,
        purpose=request.purpose,
        ends__gt=timezone.now() + timezone.timedelta(days=2),
    ).latest("pk")
    copied = [
        field.column
        for field in Consent._meta.concrete_fields
        if field.name not in {"id", "ref", "subject"}
    ]
    columns = ", ".join(copied)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO consent_consent (ref, subject_id, {columns})"
            f" SELECT 'con-long-' || s.slot, s.slot, {', '.join('t.' + each for each in copied)}"
            " FROM consent_subject s, consent_consent t"
            " WHERE t.id = %s AND s.slot BETWEEN %s AND %s AND s.holder_id = t.holder_id AND s.slot %% 10 < 6"
            " AND NOT EXISTS (SELECT 1 FROM consent_consent c WHERE c.subject_id = s.slot)",
            [like.pk, int(slots[0]), int(slots[-1])],
        )
        cursor.execute("ANALYZE")


def _version(request: AccessRequest, old: DatasetVersion, slots: np.ndarray) -> None:
    """Rows like the old version's, drawn again and again, for the new people."""
    ring = facts.ring()
    identity = ring.identity(request.dataset.holder.ref)
    model = pq.read_table(io.BytesIO(unseal(store().open(old.parts.first().name), identity)))
    version = DatasetVersion.objects.create(
        dataset=request.dataset,
        number=old.number + 1,
        source_sha256="1" * 64,
        mapping_sha256=old.mapping_sha256,
        rows=len(slots) * ROWS_A_PERSON,
        rejected=0,
        people=len(slots),
        people_per_row=old.people_per_row,
        loaded_by=old.loaded_by,
        loaded_at=timezone.now(),
        entry=old.entry,
    )
    VersionColumn.objects.bulk_create(
        VersionColumn(version=version, field_id=field)
        for field in old.columns.values_list("field", flat=True)
    )
    rng = np.random.default_rng(7)
    each = LIMITS.part_rows // ROWS_A_PERSON
    for number, start in enumerate(range(0, len(slots), each), start=1):
        those = np.repeat(slots[start : start + each], ROWS_A_PERSON)
        table = model.take(pa.array(rng.integers(0, model.num_rows, len(those))))
        for place, name in enumerate(table.column_names):
            if name.startswith("_slot"):
                own = pa.array(those) if name == "_slot" else pa.nulls(len(those), pa.int32())
                table = table.set_column(place, name, own)
        sealed = seal(parquet(table), [identity.to_public()])
        stored = store().put(f"parts/long/{number:06d}.age", sealed, lasting=False)
        StoredPart.objects.create(
            version=version,
            number=number,
            name=f"parts/long/{number:06d}.age",
            rows=len(those),
            size=stored.size,
            sha256=stored.sha256,
        )
    Presence.objects.bulk_create(
        (Presence(version=version, block=block, bits=bits) for block, bits in chunks_of(slots)),
        batch_size=500,
    )


def sayer() -> None:
    """Say no ten times a second until a line comes in; then say how long each one waited."""
    by = User.objects.get(username="harbor-advocate")
    running = list(
        Consent.objects.filter(ref__startswith="con-long-", ended_at__isnull=True).values_list(
            "pk", flat=True
        )
    )
    chosen = random.Random(7).sample(running, min(len(running), 20_000))  # noqa: S311 - a repeatable order
    took: list[float] = []
    began = time.monotonic()
    while not select.select([sys.stdin], [], [], 0)[0] and len(took) < len(chosen):
        consent = Consent.objects.get(pk=chosen[len(took)])
        start = time.perf_counter()
        consents.withdraw(consent=consent, by=by, at=timezone.now(), via=Via.TASK)
        waited = time.perf_counter() - start
        took.append(waited * 1000)
        time.sleep(max(0.0, 1 / NOES_A_SECOND - waited))
    seconds = time.monotonic() - began
    took.sort()
    print(
        json.dumps(
            {
                "section": "long_release",
                "noes": len(took),
                "a_second": round(len(took) / seconds, 1),
                "p50_ms": round(took[len(took) // 2], 1),
                "p99_ms": round(took[int(len(took) * 0.99)], 1),
                "max_ms": round(took[-1], 1),
            }
        )
    )


def release() -> None:
    """Prepare the long release, then look who is inside."""
    time.sleep(5)  # the one who says no is at it by now
    by = User.objects.get(username="university-requester")
    asked = releases.ask(request=approved(), by=by, at=timezone.now(), via=Via.TASK)
    began = time.perf_counter()
    done = releases.run(release=asked, at=timezone.now(), worker="long")
    seconds = time.perf_counter() - began
    inside = slots_of(done.uses.values_list("block", "bits"))
    ended = Consent.objects.filter(
        recipient=done.recipient, purpose=done.purpose, ended_at__lt=done.answered_at
    ).values_list("subject_id", flat=True)
    bad = np.intersect1d(inside, np.fromiter(ended, dtype=np.int32))
    left = slots_of(
        done.withheld.filter(ground=Ground.CHANGED_WHILE_WRITTEN).values_list("block", "bits")
    )
    print(
        json.dumps(
            {
                "section": "long_release",
                "state": done.state,
                "seconds": round(seconds, 2),
                "rows": done.rows,
                "people": len(inside),
                "left_out": len(left),
                "bad": len(bad),
            }
        )
    )


if __name__ == "__main__":
    {"world": world, "sayer": sayer, "release": release}[sys.argv[1]](*sys.argv[2:])
