"""Writing into the log, always within the transaction of the deed itself."""

import secrets
from datetime import datetime

from django.db import DatabaseError, connection

from audit.models import Entry, JournalDigest, JournalWaiting, LogEntry
from audit.queries.journal import journal_resource, journal_row
from audit.rules import NONCE_SIZE, Leaf, band, check_leaf, journal_digest, leaf_bytes
from audit.tlog.tree import leaf_hash
from audit.vocabulary import SYSTEM, Decision, EntryType, Via
from common.errors import NotReady
from common.words import sentence as _

JOURNAL_BATCH = 500


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
) -> Entry:
    """Put one entry into the log, to be numbered once this transaction has committed.

    The change-journal rows that this transaction has written so far are covered along with it.
    """
    record_journal(at=at, via=via)
    return _insert(
        Leaf(
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
    )


def record_journal(*, at: datetime, via: str) -> int:
    """Cover the change-journal rows that no entry covers yet: those of this transaction, and
    those that were committed without a `record` after them."""
    _require_transaction()
    waiting = JournalWaiting.objects.order_by("pk").select_for_update(skip_locked=True)
    ids = list(waiting.values_list("pk", flat=True)[:JOURNAL_BATCH])
    if not ids:
        return 0
    rows = LogEntry.objects.filter(pk__in=ids).select_related("content_type").order_by("pk")
    for row in rows:
        _cover(row, at=at, via=via)
    JournalWaiting.objects.filter(pk__in=ids).delete()
    return len(ids)


def _cover(row: LogEntry, *, at: datetime, via: str) -> None:
    salt = secrets.token_bytes(16)
    entry = _insert(
        Leaf(
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
    )
    JournalDigest.objects.create(row=row, entry=entry, salt=salt)


def _insert(leaf: Leaf) -> Entry:
    check_leaf(leaf)
    data = leaf_bytes(leaf)
    try:
        return Entry.objects.create(
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
    except DatabaseError as error:
        # The error leaves the transaction, so all of the deed is undone with its entry.
        raise NotReady(
            "log_unavailable", _("The log cannot take this entry at present.")
        ) from error


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is written in the transaction of its deed; open one first.")
