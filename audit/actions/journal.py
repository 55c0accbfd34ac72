"""Many journaled rows written at once, each with its row in the change journal.

The journal library hears of `save` and `delete` only. `bulk_create`, `bulk_update`, `update` and
SQL of one's own leave no trace, so a test forbids them on journaled models everywhere but here.
"""

from collections.abc import Iterable
from typing import TypeVar

from auditlog.diff import model_instance_diff
from django.db import connection
from django.db.models import Model

from audit.models import LogEntry

M = TypeVar("M", bound=Model)


def insert(rows: Iterable[M]) -> list[M]:
    """Write new rows of one journaled model; within the transaction of the deed that does it."""
    new = list(rows)
    if not new:
        return []
    if not connection.in_atomic_block:
        raise RuntimeError("Journaled rows are written in a transaction; open one first.")
    made = type(new[0])._default_manager.bulk_create(new)
    changes = [
        LogEntry.objects.row_of(
            row,
            action=LogEntry.Action.CREATE,
            changes=model_instance_diff(None, row, use_json_for_changes=True),
        )
        for row in made
    ]
    LogEntry.objects.bulk_create([change for change in changes if change is not None])
    return made
