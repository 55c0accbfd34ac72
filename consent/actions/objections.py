"""A person's standing no: make, narrow, lift."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from django.db import transaction

from audit.vocabulary import Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import drafts, standing
from consent.actions.subjects import hold
from consent.models import Objection, Subject
from consent.permissions import check_can_say_no, check_herself
from consent.queries.objections import own
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.vocabulary import Narrowing, OrganisationKind


@taking()
def make(
    *,
    subject: Subject,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
) -> Objection:
    """Say no to a recipient, a kind of recipient, a purpose, a category, or (nothing named) to all.

    It counts wherever the same sign-in is known, and takes back what waits to come into force. When
    this returns it has been acknowledged. Raises NotPermitted unless `by` is the person or the
    holder's advocate; RuleBroken where the same no stands already.
    """
    check_can_say_no(by, subject)
    people = [subject, *standing.also_hers(subject)]
    slots = [each.slot for each in people]
    with _no(slots, recipient) as moment:
        hold(slots)
        same = {
            "recipient": recipient,
            "recipient_kind": recipient_kind or "",
            "purpose": purpose,
            "category": category,
        }
        stands = set(
            own(
                Objection.objects.filter(subject__in=slots, lifted_at__isnull=True, **same)
            ).values_list("subject", flat=True)
        )
        if subject.slot in stands:
            raise RuleBroken("already_objected", _("This no stands already."))
        said = [
            standing.said(each, same, by=by, via=via, moment=moment)
            for each in people
            if each.slot not in stands
        ]
        drafts.drop(
            slots,
            recipient=recipient,
            recipient_kind=recipient_kind,
            purpose=purpose,
            category=category,
            by=by,
            via=via,
            moment=moment,
        )
    return said[0]


@taking()
def narrow(
    *,
    objection: Objection,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
) -> Objection:
    """Make a no smaller at once: it keeps what it named and names more. Only she herself may: for
    everybody else it waits (`liftings.ask`).

    Raises NotPermitted for anybody else; RuleBroken where what is asked for is not smaller, or the
    no was lifted.
    """
    check_herself(by, objection.subject)
    named: standing.Named = {
        "recipient": recipient,
        "recipient_kind": recipient_kind or "",
        "purpose": purpose,
        "category": category,
    }
    with transaction.atomic():
        hold([objection.subject_id])
        return standing.make_smaller(objection, named, by=by, via=via)


def lift(*, objection: Objection, by: User, at: datetime, via: Via) -> Objection:
    """Take a no back at once: only she herself may. What ran before it runs again; a paper signed
    before it and not yet recorded stays refused.

    Raises NotPermitted for anybody else; RuleBroken where it was taken back already.
    """
    check_herself(by, objection.subject)
    with transaction.atomic():
        hold([objection.subject_id])
        return standing.take_back(objection, by=by, via=via)


def _no(
    slots: Sequence[int], recipient: Organisation | None
) -> AbstractContextManager[scopes.Moment]:
    if recipient is None:
        return scopes.narrowing(act=Narrowing.OBJECTION_MADE, everyone=True, slots=slots)
    return scopes.narrowing(act=Narrowing.OBJECTION_MADE, recipients=[recipient.pk], slots=slots)
