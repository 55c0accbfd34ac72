"""After a restore: who does not help a person any more does not, and whom she kept away is kept away."""

from datetime import datetime
from typing import Protocol

from audit.vocabulary import EntryType, Via
from consent.actions import found_again
from consent.actions.parting import part_again
from consent.actions.wiping import written
from consent.models import Assignment, Block, Subject
from consent.permissions import is_blocked
from governance.models import User
from governance.rules import closing
from governance.vocabulary import REPLAYED


def handed_on_again(
    told: found_again.Told, subject: Subject, *, by: User, at: datetime, via: Via
) -> bool:
    """After a restore: who does not help her any more does not."""
    rows = Assignment.objects.filter(ref=told["ref"], subject=subject, ended_at__isnull=True)
    found = rows.first()
    if found is None:
        return False
    found.ended_at = closing(found.started_at, at)
    found.save(update_fields=["ended_at"])
    written(EntryType.SUBJECT_TRANSFERRED, subject, by=by, at=at, via=via, reason=REPLAYED)
    return True


def kept_away_again(
    told: found_again.Told, subject: Subject, *, by: User, at: datetime, via: Via
) -> bool:
    """After a restore: whom she had kept away is kept away."""
    worker = User.objects.filter(ref=told["worker"]).first()
    if worker is None or Block.objects.filter(ref=told["ref"]).exists():
        return False
    if is_blocked(worker, subject):
        return False
    Block.objects.create(
        ref=told["ref"], subject=subject, worker=worker, blocked_by=by, blocked_at=at
    )
    written(EntryType.WORKER_BLOCKED, subject, by=by, at=at, via=via, reason=REPLAYED)
    return True


class _Again(Protocol):
    def __call__(
        self, told: found_again.Told, subject: Subject, *, by: User, at: datetime, via: Via
    ) -> bool: ...


AGAIN: dict[str, _Again] = {
    "handed_on": handed_on_again,
    "kept_away": kept_away_again,
    "parted": part_again,
}
"""What is said again after a restore, by the name under which it was told."""
