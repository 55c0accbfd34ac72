"""Writing into the log, always within the transaction of the deed itself."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

from django.db import DatabaseError, connection

from audit.models import Detail, Entry, JournalDigest, JournalWaiting, LogEntry
from audit.queries.journal import journal_resource, journal_row
from audit.rules import NONCE_SIZE, Leaf, band, check_leaf, journal_digest, leaf_bytes
from audit.tlog.tree import leaf_hash
from audit.vocabulary import SYSTEM, Decision, EntryType, Via
from common.errors import NotReady
from common.planned import Planned, Reading, number, side_by_side
from common.rows import Single
from common.words import sentence as _

JOURNAL_BATCH = 500
# Every deed asks this, and most find nothing; then it writes one entry.
WAITING = Reading(
    Planned(
        f"SELECT row_id FROM audit_journalwaiting ORDER BY row_id LIMIT {JOURNAL_BATCH} {{locked}}",  # noqa: S608 - our own number
        {"postgresql": {"locked": "FOR UPDATE SKIP LOCKED"}, "sqlite": {"locked": ""}},
        {},
    ),
    [],
    lambda _vendor, rows: [number(pk) for (pk,) in rows],
)
ENTRY = Single(Entry, "seq")


def record(
    *,
    type: str,
    at: datetime,
    actor: str,
    via: str,
    purpose: str = "",
    resource: str = "",
    decision: str = Decision.DONE,
    reason: str = "",
    policy: str = "",
    epoch_everyone: int | None = None,
    epoch_scope: int | None = None,
    subjects_root: bytes | None = None,
    subjects: int = 0,
    detail_commit: str = "",
    nonce: bytes | None = None,
    detail: bytes | None = None,
    beside: Reading[None] | None = None,
) -> Entry:
    """Put one entry into the log, to be numbered once this transaction has committed.

    `beside`: an act that is sent along with it, right after it; nothing of the deed is journaled.

    `detail`: what `rules.sealed_detail` made with the same `nonce`; the leaf commits to it.
    The change-journal rows that this transaction has written so far are covered along with it.
    """
    _require_transaction()
    if detail is not None:
        detail_commit = sha256(detail).hexdigest()
    leaf = Leaf(
        type=type,
        time=at,
        actor=actor,
        via=via,
        purpose=purpose,
        resource=resource,
        decision=decision,
        reason=reason,
        policy=policy,
        epoch_everyone=epoch_everyone,
        epoch_scope=epoch_scope,
        subjects_root=subjects_root,
        subjects_band=band(subjects),
        detail_commit=detail_commit,
        nonce=secrets.token_bytes(NONCE_SIZE) if nonce is None else nonce,
    )
    entry = _entry(leaf)
    if beside is None:
        record_journal(at=at, via=via)
        with _log_takes_it():
            ENTRY.insert(entry)
    else:
        with _log_takes_it():
            waiting, _entry_is_in, _act_is_done = side_by_side(
                WAITING, ENTRY.inserting(entry), beside
            )
        if waiting:  # of others, whom no entry came after
            record_journal(at=at, via=via)
    if detail is not None:
        Detail.objects.create(entry=entry, sealed=detail)
    return entry


def record_journal(*, at: datetime, via: str) -> int:
    """Cover the change-journal rows that no entry covers yet: all those of this transaction, and
    those that were committed without a `record` after them."""
    _require_transaction()
    covered = 0
    while ids := WAITING.now():
        _cover(ids, at=at, via=via)
        covered += len(ids)
        if len(ids) < JOURNAL_BATCH:
            break
    return covered


def _cover(ids: list[int], *, at: datetime, via: str) -> None:
    """However many rows: five statements, so that a deed on many rows stays quick."""
    rows = LogEntry.objects.filter(pk__in=ids).select_related("content_type").order_by("pk")
    salted = [(row, secrets.token_bytes(16)) for row in rows]
    entries = _insert([_journal_leaf(row, salt, at=at, via=via) for row, salt in salted])
    JournalDigest.objects.bulk_create(
        JournalDigest(row=row, entry=entry, salt=salt)
        for (row, salt), entry in zip(salted, entries, strict=True)
    )
    JournalWaiting.objects.filter(pk__in=ids).delete()


def _journal_leaf(row: LogEntry, salt: bytes, *, at: datetime, via: str) -> Leaf:
    return Leaf(
        type=EntryType.JOURNAL_CHANGED,
        time=at,
        actor=row.actor or SYSTEM,
        via=via,
        purpose="",
        resource=journal_resource(row.pk),
        decision=Decision.DONE,
        reason="",
        policy="",
        epoch_everyone=None,
        epoch_scope=None,
        subjects_root=None,
        subjects_band=band(0),
        detail_commit=journal_digest(salt, journal_row(row)),
        nonce=secrets.token_bytes(NONCE_SIZE),
    )


def _insert(leaves: list[Leaf]) -> list[Entry]:
    entries = [_entry(leaf) for leaf in leaves]
    with _log_takes_it():
        if len(entries) > 1:
            return Entry.objects.bulk_create(entries)
        ENTRY.insert(entries[0])
    return entries


@contextmanager
def _log_takes_it() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        # The error leaves the transaction, so all of the deed is undone with its entry.
        raise NotReady(
            "log_unavailable", _("The log cannot take this entry at present.")
        ) from error


def _entry(leaf: Leaf) -> Entry:
    check_leaf(leaf)
    data = leaf_bytes(leaf)
    return Entry(
        version=leaf.version,
        type=EntryType(leaf.type),
        time=leaf.time,
        actor=leaf.actor,
        via=Via(leaf.via),
        purpose=leaf.purpose,
        resource=leaf.resource,
        decision=Decision(leaf.decision),
        reason=leaf.reason,
        policy=leaf.policy,
        epoch_everyone=leaf.epoch_everyone,
        epoch_scope=leaf.epoch_scope,
        subjects_root=leaf.subjects_root,
        subjects_band=leaf.subjects_band,
        detail_commit=leaf.detail_commit,
        nonce=leaf.nonce,
        leaf=data,
        leaf_hash=leaf_hash(data),
    )


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is written in the transaction of its deed; open one first.")
