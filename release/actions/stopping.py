"""Writing down that a stream ended before its end, and why."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import Decision, EntryType, Via
from governance.actions import trail
from governance.models import User
from release.models import Release


@transaction.atomic
def stopped(
    *, release: Release, by: User, at: datetime, via: Via, reason: str, policy: str = ""
) -> None:
    """What was being handed over is not sent any further. `reason` is one opaque word; `policy`
    where it was the gate that said so."""
    trail.record(
        type=EntryType.DOWNLOAD_STOPPED,
        by=by,
        at=at,
        via=via,
        resource=release.ref,
        purpose=release.purpose.code,
        decision=Decision.REFUSED,
        reason=reason,
        policy=policy,
    )
