"""Carrying out what two have agreed to, with what the proofs of others need of the key that goes."""

from collections.abc import Collection
from datetime import datetime

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import carrying, replaying, tagging
from consent.actions.replaying import Replayed
from consent.models import Shredding, Subject
from consent.queries.shredding import due_by
from governance import permissions
from governance.models import User
from governance.queries import noes
from release.models import Recall, Release
from release.queries import recalls, uses


def carry_out_due(*, at: datetime) -> int:
    """The clock: shred what is due, and take out of the file of noes what still leads there.

    Gives how much was done; what cannot be done now is due at the next round. While the database
    has forgotten noes nothing is shredded: what must be said again comes first.
    """
    if noes.against() is not None:
        return 0
    done = sum(_carried_out(each) for each in due_by(at))
    return done + carrying.clean(at)


def _carried_out(waits: Shredding) -> bool:
    try:
        with carrying.carrying_out(waits) as subject:
            _leave_tags(subject)
    except RuleBroken:  # called off, held or done by another clock in the meantime
        return False
    return True


def replay(*, by: User, at: datetime, via: Via, settled: Collection[str] = ()) -> Replayed:
    """After a restore: every forgotten no (`replaying.replay`), and what it raises. Whoever was
    shredded later than this copy was made is so again; nothing is released meanwhile."""
    permissions.check_can_convene(by)
    for subject in replaying.to_shred():
        _leave_tags(subject)
    return replaying.replay(by=by, at=at, via=via, settled=settled)


def _leave_tags(subject: Subject) -> None:
    """Her tag in each release that held her and each recall of it, for the others' proofs."""
    held = Release.objects.filter(pk__in=uses.containing(subject), entry__isnull=False)
    asked = Recall.objects.filter(pk__in=recalls.about(subject.slot))
    rows = [
        *held.values_list("entry_id", "entry__nonce"),
        *asked.values_list("entry_id", "entry__nonce"),
    ]
    tagging.leave(subject, [(entry, bytes(nonce)) for entry, nonce in rows if entry])
