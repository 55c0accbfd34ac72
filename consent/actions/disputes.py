"""A dispute on who may speak for a person: what others gave waits until it is settled."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped, spoken, subjects
from consent.actions.spoken import NUMBER
from consent.actions.wiping import written
from consent.models import Dispute
from consent.permissions import check_can_advise, check_can_help
from consent.queries import speaking
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Narrowing


@taking(number=NUMBER)
def report(*, holder: Organisation, number: str, by: User, at: datetime, via: Via) -> Dispute:
    """Nothing that others said yes to for this client goes any more, at once, until it is settled.

    Her own yeses stand. Raises NotPermitted unless `by` is the holder's advocate; RuleBroken where
    the number is not known or this is reported already.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    slot = subject.slot
    with scopes.narrowing(act=Narrowing.DISPUTE_REPORTED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        if speaking.open_disputes().filter(subject=subject).exists():
            raise RuleBroken("disputed_already", _("This is recorded already."))
        return spoken.dispute_stands(Dispute(subject=subject), by=by, via=via, moment=moment)


def resolve(*, dispute: Dispute, by: User, at: datetime, via: Via) -> Dispute:
    """It is settled: what was given before and has not ended counts again.

    Whoever may speak for her no more is ended first. Raises NotPermitted unless `by` is the holder's
    advocate; RuleBroken where it is settled already.
    """
    check_can_help(by, dispute.subject)
    with transaction.atomic():
        subjects.hold([dispute.subject_id])
        rows = Dispute.objects.select_for_update(of=("self",)).select_related("subject__holder")
        current = rows.get(pk=dispute.pk)
        if current.resolved_at is not None:
            raise RuleBroken("resolved_already", _("This is settled already."))
        current.resolved_at, current.resolved_by = at, by
        current.save(update_fields=["resolved_at", "resolved_by"])
        written(EntryType.DISPUTE_RESOLVED, current.subject, by=by, at=at, via=via)
    return current
