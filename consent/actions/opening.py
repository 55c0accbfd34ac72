"""What deeds with a person's codes ask and write, inside their transactions."""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from consent.actions.wiping import written
from consent.models import EnrolmentCode, Subject
from consent.vocabulary import CodeKind
from governance.models import User

WORDS = {
    CodeKind.ARRIVAL: (
        EntryType.INVITATION_MADE,
        EntryType.INVITATION_WITHDRAWN,
        EntryType.INVITATION_ACCEPTED,
    ),
    CodeKind.RETURN: (EntryType.RESET_ASKED, EntryType.RESET_WITHDRAWN, EntryType.RESET_USED),
}
"""The entries of a code that is given, taken back and used."""


def has_sign_in(subject: Subject) -> bool:
    """Whether a sign-in of hers stands; one that was closed for good does not."""
    return subject.account is not None and subject.account.ended_at is None


def used(code: EnrolmentCode, user: User, at: datetime, via: Via) -> None:
    """The code opens nothing more; the caller holds it, and does what it was for."""
    code.used_at = at
    code.save(update_fields=["used_at"])
    written(WORDS[CodeKind(code.kind)][2], code.subject, by=user, at=at, via=via)
