"""Asks one log of the size that is named: proofs one at a time, the root, everything. In a process of
its own, so that its memory is its own. The last line is one JSON object.

The log is real: leaves as the service spells them, each with its own nonce, every node, and a signed
head for every 2,000 entries, as the sequencer makes them. Only the way in is not: rows are copied in
with the triggers off, since each of them is known to be right.
"""

import json
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from audit import queries as log  # noqa: E402
from audit.models import Entry  # noqa: E402
from audit.queries.verification import verify, verify_root  # noqa: E402
from audit.rules import Leaf, leaf_bytes  # noqa: E402
from audit.tlog.checkpoints import Checkpoint, sign_checkpoint  # noqa: E402
from audit.tlog.notes import Signer  # noqa: E402
from audit.tlog.tree import Edge, check_consistency, check_inclusion, leaf_hash  # noqa: E402
from bench.consents import filling  # noqa: E402

BATCH = 2000
START = datetime(2026, 1, 1, tzinfo=UTC)
ENTRY = [
    "seq", "version", "type", "time", "actor", "via", "purpose", "resource", "decision", "reason",
    "policy", "epoch_everyone", "epoch_scope", "subjects_band", "detail_commit", "nonce", "leaf",
    "leaf_hash",
]  # fmt: skip
TABLES = {
    "audit_entry": ENTRY,
    "audit_node": ["level", "index", "hash"],
    "audit_checkpoint": ["size", "root", "note", "signed_at"],
}


def leaf_of(number: int, nonce: bytes) -> Leaf:
    return Leaf(
        type="download:given",
        time=START + timedelta(seconds=number),
        actor=f"usr-{number % 997:013d}",
        via="api",
        purpose="research",
        resource=f"rel-{number % 99_991:013d}",
        decision="permitted",
        reason="part-1",
        policy="",
        epoch_everyone=number % 1000,
        epoch_scope=number % 100,
        subjects_root=None,
        subjects_band="0",
        detail_commit="",
        nonce=nonce,
    )


def rows(size: int) -> Iterator[tuple[str, tuple]]:
    """Every row of the log, table by table mixed, in the order in which the log grew."""
    signer = Signer(settings.LOG_ORIGIN, log.key_ring().log_seed())
    chance, edge = random.Random(7), Edge()  # noqa: S311 - the same log each time, no secret
    for number in range(size):
        leaf = leaf_of(number, chance.randbytes(16))
        data = leaf_bytes(leaf)
        value = leaf_hash(data)
        yield "audit_entry", (
            number, 1, leaf.type, leaf.time, leaf.actor, leaf.via, leaf.purpose, leaf.resource,
            leaf.decision, leaf.reason, "", leaf.epoch_everyone, leaf.epoch_scope, "0", "",
            leaf.nonce, data, value,
        )  # fmt: skip
        for level, index, node in edge.append(value):
            yield "audit_node", (level, index, node)
        if edge.size % BATCH == 0 or edge.size == size:
            head = Checkpoint(settings.LOG_ORIGIN, edge.size, edge.root())
            note = sign_checkpoint(head, signer)
            yield "audit_checkpoint", (head.size, head.root, note, leaf.time)


def build(size: int) -> None:
    call_command("migrate", verbosity=0)
    waiting: dict[str, list[tuple]] = {table: [] for table in TABLES}
    with filling(), transaction.atomic():
        for table, row in rows(size):
            waiting[table].append(row)
            if len(waiting[table]) >= 50_000:
                put(table, waiting[table])
        for table, left in waiting.items():
            put(table, left)


def put(table: str, given: list[tuple]) -> None:
    columns = ", ".join(f'"{name}"' for name in TABLES[table])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in given:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(TABLES[table]))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", given)
    given.clear()


def timed(asks: list[Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each asking."""
    found = []
    for ask in asks:
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    found.sort()
    return {
        "p50_ms": round(statistics.median(found), 3),
        "p99_ms": round(found[int(len(found) * 0.99) - 1], 3),
        "max_ms": round(found[-1], 3),
    }


def proofs(size: int, asked: int = 300) -> dict[str, object]:
    chance = random.Random(11)  # noqa: S311 - which entries are asked about
    numbers = [chance.randrange(size) for _ in range(asked)]
    heads = [chance.randrange(1, size) for _ in range(asked)]
    root = log.root_at(size)
    for number, old in zip(numbers[:50], heads[:50], strict=True):  # what is timed is also true
        leaf = bytes(Entry.objects.get(seq=number).leaf_hash)
        path = log.inclusion(number, size)
        check_inclusion(leaf=leaf, index=number, size=size, path=path, root=root)
        path = log.consistency(old, size)
        check_consistency(old=old, new=size, old_root=log.root_at(old), new_root=root, path=path)
    entries = [Entry.objects.get(seq=number) for number in numbers]
    return {
        "one_row": timed(
            [lambda n=n: Entry.objects.values_list("leaf_hash").get(seq=n) for n in numbers]
        ),
        "inclusion": timed([lambda n=n: log.inclusion(n, size) for n in numbers]),
        "consistency": timed([lambda n=n: log.consistency(n, size) for n in heads]),
        "proof_file": timed([lambda e=e: log.proof(e) for e in entries]),
    }


def read_only(size: int) -> None:
    """The floor: every leaf once, in order, and nothing done with it."""
    seen = 0
    for first in range(0, size, 2048):
        page = Entry.objects.filter(seq__gte=first, seq__lt=first + 2048).order_by("seq")
        seen += len(page.values_list("leaf"))
    check(seen, size)


def check(found: int, wanted: int) -> None:
    if found != wanted:
        raise AssertionError(f"{found} entries were read, not {wanted}")


def whole(what: str, size: int) -> dict[str, object]:
    origin, verifiers = settings.LOG_ORIGIN, log.log_verifiers()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, cpu = time.perf_counter(), time.process_time()
    if what == "floor":
        read_only(size)
    elif what == "root":
        check(verify_root(origin=origin, verifiers=verifiers).size, size)
    else:
        check(verify(origin=origin, verifiers=verifiers).size, size)
    return {
        "seconds": round(time.perf_counter() - began, 3),
        "cpu": round(time.process_time() - cpu, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "before_mb": round(before, 1),
    }


def main() -> None:
    what, size = sys.argv[1], int(sys.argv[2])
    began = time.perf_counter()
    if what == "build":
        build(size)
        found: dict[str, object] = {"seconds": round(time.perf_counter() - began, 1)}
    elif what == "proofs":
        found = proofs(size)
    else:
        found = whole(what, size)
    told = {"what": what, "entries": size, "database": connection.vendor, **found}
    print(json.dumps({**told, "load": round(os.getloadavg()[0], 2)}), flush=True)


if __name__ == "__main__":
    main()
