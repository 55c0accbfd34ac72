"""What every change of a key writes down: one entry for one change, however often it was broken off."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from audit import queries as log
from audit.vocabulary import EntryType, Via
from governance.actions import trail
from governance.models import User


def sign_of(public: str) -> str:
    """16 signs by which an entry names a public key."""
    return sha256(public.encode()).hexdigest()[:16]


def written_once(
    resource: str, reason: str, *, by: User, at: datetime, via: Via, detail_commit: str = ""
) -> None:
    """One entry for one rotation, however often it was broken off."""
    with transaction.atomic():
        if log.entry_about(EntryType.KEY_ROTATED, resource) is None:
            trail.record(
                type=EntryType.KEY_ROTATED,
                by=by,
                at=at,
                via=via,
                resource=resource,
                reason=reason,
                detail_commit=detail_commit,
            )
