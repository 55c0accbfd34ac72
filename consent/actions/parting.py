"""The inside of parting what a person joined: its row, whose it is from now on, its entry."""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from consent.actions import found_again
from consent.actions.wiping import written
from consent.models import Subject, SubjectLink
from governance.models import User
from governance.rules import closing
from governance.vocabulary import REPLAYED


def part(link: SubjectLink, *, by: User, at: datetime, via: Via, reason: str = "") -> None:
    """The caller holds her row, and has asked whether it may be."""
    link.split_at = closing(link.linked_at, at)
    link.save(update_fields=["split_at"])
    subject, former = link.subject, link.former
    if subject.account_id == link.account_id:
        subject.account = former if former is not None and former.ended_at is None else None
        subject.save(update_fields=["account"])
    written(EntryType.SUBJECT_UNLINKED, subject, by=by, at=at, via=via, reason=reason)


def part_again(
    told: found_again.Told, subject: Subject, *, by: User, at: datetime, via: Via
) -> bool:
    """After a restore: what she parted is apart. Gives whether it was not."""
    rows = SubjectLink.objects.select_related("subject__holder", "former")
    link = rows.filter(ref=told["ref"], subject=subject, split_at__isnull=True).first()
    if link is None:
        return False
    part(link, by=by, at=at, via=via, reason=REPLAYED)
    return True
