"""A change-journal row as its digest sees it."""

import json
from typing import Any

from audit.models import JournalWaiting, LogEntry
from audit.rules import spelled_time
from audit.tlog.canonical import Flat


def journal_row(row: LogEntry) -> dict[str, Flat]:
    """All columns of one row as stored; read it from the database first, not from memory."""
    return {
        "id": str(row.pk),
        "model": f"{row.content_type.app_label}.{row.content_type.model}",
        "object_pk": row.object_pk,
        "object_id": None if row.object_id is None else str(row.object_id),
        "object_repr": row.object_repr,
        "serialized_data": _spelled(row.serialized_data),
        "action": row.action,
        "changes_text": row.changes_text,
        "changes": _spelled(row.changes),
        "actor": row.actor,
        "cid": row.cid,
        "timestamp": spelled_time(row.timestamp),
        "additional_data": _spelled(row.additional_data),
    }


def journal_waits() -> bool:
    """Whether a change-journal row stands that no entry covers yet."""
    return JournalWaiting.objects.exists()


def journal_resource(row_id: int) -> str:
    """How a log entry names the journal row it covers."""
    return f"journal:{row_id}"


def _spelled(value: Any) -> str | None:
    # As text, because a journal row may hold numbers that canonical JSON cannot.
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))
