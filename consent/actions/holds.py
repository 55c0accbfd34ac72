"""Legal holds: the law keeps a record, for a time, and everybody whom it concerns can see it."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import subjects
from consent.actions.shredding import NUMBER
from consent.actions.wiping import known, stand, written
from consent.models import LegalHold
from consent.permissions import check_can_hold
from consent.queries import facts
from consent.vocabulary import HoldGround
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Closing

DIGEST = Text(most=64, least=64, slug=True, name=_("Digest"))


@taking(number=NUMBER, document=DIGEST)
def place(
    *,
    holder: Organisation,
    number: str,
    ground: HoldGround,
    document: str,
    ends: datetime,
    by: User,
    at: datetime,
    via: Via,
) -> LegalHold:
    """Keep one client's record until `ends`: nothing of it is wiped as long as this stands.

    `document` is the SHA-256 of the paper it rests on, kept sealed. Raises NotPermitted unless `by` administers
    the holder; BadInput where it is no digest or the end has passed; RuleBroken where the number is
    not known; NotReady where the holder's key is not there.
    """
    check_can_hold(by, holder)
    digest = document.lower()
    if any(sign not in "0123456789abcdef" for sign in digest):
        raise BadInput(
            "document", _("Give the document's SHA-256: 64 digits 0-9, a-f."), where="document"
        )
    if ends <= at:
        raise BadInput("hold_in_past", _("Choose a day that is still to come."), where="ends")
    subject = known(holder, number)
    with scopes.closing(act=Closing.HOLD_PLACED) as moment:
        subjects.hold([subject.slot])
        hold = LegalHold(subject=subject, ground=ground, placed_by=by, placed_at=at, ends=ends)
        moment.tell(**facts.kept(hold))
        return stand(hold, digest, by=by, at=at, via=via, reason=ground.value)


def lift(*, hold: LegalHold, by: User, at: datetime, via: Via) -> LegalHold:
    """End a hold before its day. What waits for shredding waits the whole delay once more.

    Raises NotPermitted unless `by` administers the holder; RuleBroken where it has ended already.
    """
    check_can_hold(by, hold.subject.holder)
    with transaction.atomic():
        subjects.hold([hold.subject_id])
        held = LegalHold.objects.select_for_update(of=("self",)).select_related("subject__holder")
        current = held.get(pk=hold.pk)
        if current.lifted_at is not None or current.ends <= at:
            raise RuleBroken("hold_over", _("This hold has ended already."))
        current.lifted_by, current.lifted_at = by, at
        current.save(update_fields=["lifted_by", "lifted_at"])
        written(EntryType.HOLD_LIFTED, current.subject, by=by, at=at, via=via)
    return current
