"""Numbering entries, growing the tree and signing its head, all in one transaction."""

import time
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from audit.models import Checkpoint, Entry, Node
from audit.queries import checkpoint_over, latest_checkpoint, log_signers
from audit.queries.nodes import stored_hashes
from audit.queries.roles import may_number
from audit.tlog.checkpoints import Checkpoint as Head
from audit.tlog.checkpoints import read_checkpoint, sign_checkpoint
from audit.tlog.notes import Signs
from audit.tlog.texts import Malformed
from audit.tlog.tree import Edge, cover, leaf_hash
from common.errors import NotReady
from common.rows import Columns
from common.words import joined
from common.words import sentence as _

# One key of the single-number kind, so that it cannot meet the two-number keys of scopes.
SEQUENCER_LOCK = 0x5A59534F4C4F47
BATCH = 2000
Stored = bytes | memoryview  # as PostgreSQL's driver gives it
PAUSE = 0.01
NODE = Columns(Node, "level", "index", "hash")


def sequence(*, limit: int = BATCH) -> int:
    """Number what waits, in its own transaction; answers how many entries were numbered.

    0 also where another sequencer is at it, or where only another role may. Which of two entries committed first is not told by
    their numbers but by the epochs in them.
    """
    now = timezone.now()  # the signing is no one's deed, so no one passes its moment
    signers = log_signers(now)  # no key: nothing is written
    try:
        if not Entry.objects.filter(seq__isnull=True).exists() or not may_number():
            return 0
        with transaction.atomic(durable=True):
            return _number(limit, signers, now) if _alone() else 0
    except OperationalError as error:
        raise NotReady("log_unavailable", _("The log cannot be written at present.")) from error


def check_head() -> None:
    """Refuses (`NotReady`, log_inconsistent) where the stored log is not the signed one."""
    _checked_edge()


def settle(*, entry: Entry, seconds: float = 5.0) -> Checkpoint:
    """Wait until the entry stands under a signed checkpoint; without one, nothing may leave."""
    if connection.in_atomic_block:
        raise RuntimeError("An entry settles only after its transaction has committed.")
    deadline = time.monotonic() + seconds
    while True:
        checkpoint = checkpoint_over(entry)
        if checkpoint is not None:
            return checkpoint
        if time.monotonic() >= deadline:
            raise NotReady("log_not_ready", _("The log has not signed this entry in time."))
        if not sequence():
            time.sleep(PAUSE)


def _alone() -> bool:
    """Whether this transaction is the only one that numbers, until it ends."""
    if connection.vendor != "postgresql":
        return True  # SQLite: BEGIN IMMEDIATE has let in one writer
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        return bool(cursor.fetchone()[0])


def _number(limit: int, signers: tuple[Signs, ...], now: datetime) -> int:
    pending = _pending(limit)
    if not pending:
        return 0
    edge = _checked_edge()
    numbers: list[tuple[int, int]] = []
    nodes: list[tuple[int, int, bytes]] = []
    for pk, leaf, stored_hash in pending:
        value = leaf_hash(bytes(leaf))
        if value != bytes(stored_hash):
            raise _inconsistent(_("The waiting entry with the key %(key)s was altered.", key=pk))
        numbers.append((edge.size, pk))
        nodes += edge.append(value)
    _write_numbers(numbers)
    NODE.insert(nodes)
    head = Head(origin=settings.LOG_ORIGIN, size=edge.size, root=edge.root())
    Checkpoint.objects.create(
        size=head.size,
        root=head.root,
        note=sign_checkpoint(head, *signers),
        signed_at=now,
    )
    return len(numbers)


def _pending(limit: int) -> list[tuple[int, Stored, Stored]]:
    """What waits: whatever has no number, however late it committed; never "above the last one".

    An entry that somebody holds waits for the next tick instead of stopping the whole log.
    """
    waiting = Entry.objects.filter(seq__isnull=True).order_by("pk")
    held = waiting.select_for_update(skip_locked=True)
    return list(held.values_list("pk", "leaf", "leaf_hash")[:limit])


def _write_numbers(numbers: list[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # one statement, where it is worth its while
            cursor.execute(
                "UPDATE audit_entry AS entry SET seq = given.seq "
                "FROM unnest(%s::bigint[], %s::bigint[]) AS given (seq, id) "
                "WHERE entry.id = given.id",
                [[seq for seq, _ in numbers], [pk for _, pk in numbers]],
            )
        else:
            cursor.executemany("UPDATE audit_entry SET seq = %s WHERE id = %s", numbers)


def _checked_edge() -> Edge:
    """The right edge of the stored tree, once it is shown to be the one that was signed."""
    checkpoint = latest_checkpoint()
    size = checkpoint.size if checkpoint else 0
    highest = Entry.objects.aggregate(most=Max("seq"))["most"]
    if size != (0 if highest is None else highest + 1):
        raise _inconsistent(_("The numbered entries are not as many as the last checkpoint says."))
    places = cover(0, size)
    stored = stored_hashes(places)
    edge = Edge(size, [stored[place] for place in places])
    if checkpoint is not None:
        try:
            head = read_checkpoint(checkpoint.note)
        except Malformed as error:
            raise _inconsistent(_("The last checkpoint cannot be read.")) from error
        if (head.origin, head.size, head.root) != (settings.LOG_ORIGIN, size, edge.root()):
            raise _inconsistent(_("The stored tree is not the one of the last checkpoint."))
    return edge


def _inconsistent(found: str) -> NotReady:
    return NotReady("log_inconsistent", joined([found, _("Run `manage.py verify_log`.")]))
