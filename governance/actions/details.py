"""What stands beside a deed's entry: words that staff write, sealed (ADR 19), and marks of what a row
says (ADR 21)."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from audit import queries as log
from audit.rules import NONCE_SIZE, SALT_SIZE, SEALING, committed, sealed_detail
from audit.vocabulary import Via
from governance import permissions
from governance.actions import rotated
from governance.models import DataKey, User
from governance.queries.details import data_key, wrapped, wrapped_anew


def sealed(*, by: User, **said: str) -> dict[str, Any]:
    """What `trail.record` takes beside an entry by this user, within the transaction of its deed.

    Raises NotReady where the service's key is not there: then the log cannot be signed either.
    """
    nonce = secrets.token_bytes(NONCE_SIZE)
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    detail = sealed_detail(_own(by), nonce, secrets.token_bytes(SEALING), text)
    return {"nonce": nonce, "detail": detail}


def committed_to(said: Mapping[str, str]) -> dict[str, Any]:
    """What `trail.record` takes beside an entry about one row that says this (ADR 21)."""
    return {"detail": committed(secrets.token_bytes(SALT_SIZE), said)}


def _own(by: User) -> bytes:
    """The user's own key; made with the first words."""
    found = data_key(by)
    if found is not None:
        return found
    fresh = secrets.token_bytes(32)
    # Of two first words at once one key stays, and both are sealed under it.
    DataKey.objects.bulk_create([DataKey(user=by, wrapped=wrapped(fresh))], ignore_conflicts=True)
    _wrap_anew(DataKey.objects.filter(user=by))  # what wraps may have become another just now
    return data_key(by) or fresh


def _wrap_anew(those: QuerySet[DataKey]) -> int:
    """Wrap these by the newest of the service's keys for it; gives how many were not yet."""
    done = 0
    for row in those.order_by("pk"):
        anew = wrapped_anew(bytes(row.wrapped))
        if anew is not None:
            done += DataKey.objects.filter(pk=row.pk).update(wrapped=anew)
    return done


def renew_key(*, by: User, at: datetime, via: Via) -> int:
    """What staff's data keys are wrapped by is another key; gives how many were wrapped anew.

    Broken off anywhere it may be done again. Raises NotPermitted unless `by` convenes; NotReady where
    a key is not there.
    """
    permissions.check_can_keep_keys(by, None)
    ring = log.key_ring()
    sign = ring.begin_staff()
    with transaction.atomic():
        _wait_for_writers()
        done = _wrap_anew(DataKey.objects.all())
    rotated.written_once(f"staff/{sign}", "staff", by=by, at=at, via=via)
    ring.finish_staff()
    return done


def _wait_for_writers() -> None:
    """Whoever adds a row from here on looks at the ring after it and finds the new key."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE governance_datakey IN SHARE ROW EXCLUSIVE MODE")
