"""Taking a standing no back, or making it smaller: it waits before it counts, for it lets more go."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import standing
from consent.actions.subjects import hold
from consent.models import Lifting, Objection
from consent.permissions import check_can_say_no, check_can_speak, check_herself
from consent.queries import facts
from consent.queries import objections as noes_of
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import noes
from governance.vocabulary import Closing, OrganisationKind, UserKind


@taking()
def ask(
    *,
    objection: Objection,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
) -> Lifting:
    """Let a no be taken back after the wait; or, where something is named, only be made smaller.

    Where she herself asks it is about the same no wherever she is known; where her holder's advocate
    does, there alone. Raises NotPermitted for anybody else; RuleBroken where the no was taken back,
    is to be already, or would not be smaller.
    """
    check_can_speak(by, objection.subject)
    named = {
        "recipient": recipient,
        "recipient_kind": recipient_kind or "",
        "purpose": purpose,
        "category": category,
    }
    with transaction.atomic():
        same = noes_of.same(objection) if by.kind == UserKind.SURVIVOR else []
        hold([objection.subject_id, *(each.subject_id for each in same)])
        if any(named.values()):
            standing.check_smaller(objection, named)
        first = _ask(standing.standing(objection), named, by=by, at=at, via=via)
        for each in same:
            with suppress(RuleBroken):  # it is to be taken back there already
                _ask(standing.standing(each), named, by=by, at=at, via=via)
    return first


def _ask(
    objection: Objection, named: standing.Named, *, by: User, at: datetime, via: Via
) -> Lifting:
    if noes_of.open_lifting(objection) is not None:
        raise RuleBroken("lifting_already", _("This no is to be taken back already."))
    lifting = Lifting.objects.create(
        objection=objection,
        asked_at=at,
        asked_by=by,
        due_at=at + timedelta(hours=settings.COOLING_HOURS),
        **named,
    )
    standing.lifting_written(lifting, EntryType.OBJECTION_LIFTING, by=by, at=at, via=via)
    return lifting


def cancel(*, lifting: Lifting, by: User, at: datetime, via: Via) -> Lifting:
    """Let the no stay after all, at once, wherever she is known.

    Raises NotPermitted unless `by` is the person or the holder's advocate; RuleBroken where it was
    taken back already.
    """
    check_can_say_no(by, lifting.objection.subject)
    with scopes.closing(act=Closing.NO_KEPT) as moment:
        same = noes_of.same(lifting.objection)
        hold([lifting.objection.subject_id, *(each.subject_id for each in same)])
        current = standing.waiting(lifting.ref)
        if current is None:
            raise RuleBroken("not_waiting", _("This does not wait any more."))
        others = [noes_of.open_lifting(each) for each in same]
        for each in [current, *(other for other in others if other is not None)]:
            standing.let_stand(each, by=by, at=moment.at, via=via)
            moment.tell(**facts.kept_no(each))
    return current


def waive(*, lifting: Lifting, by: User, at: datetime, via: Via) -> None:
    """Take the no back at once, without the rest of the wait: only she herself, never anybody for her.

    Raises NotPermitted for everybody else; RuleBroken where it does not wait any more.
    """
    check_herself(by, lifting.objection.subject)
    with transaction.atomic():
        same = noes_of.same(lifting.objection)
        hold([lifting.objection.subject_id, *(each.subject_id for each in same)])
        current = standing.waiting(lifting.ref)
        if current is None:
            raise RuleBroken("not_waiting", _("This does not wait any more."))
        others = [noes_of.open_lifting(each) for each in same]
        for each in [current, *(other for other in others if other is not None)]:
            _carry_out(each, by=by, at=at, via=via)


def settle_due(*, at: datetime, most: int = 500) -> int:
    """The clock: noes whose wait is over are taken back or made smaller; late is safe.

    Nothing is while noes are not known here. Gives how many were.
    """
    done = 0
    for each in noes_of.due(at)[:most] if noes.against() is None else []:
        with suppress(NotReady, RuleBroken), transaction.atomic():
            hold([each.objection.subject_id])
            current = standing.waiting(each.ref)
            if current is not None:
                _carry_out(current, by=current.asked_by, at=at, via=Via.TASK)
                done += 1
    return done


def _carry_out(lifting: Lifting, *, by: User | None, at: datetime, via: Via) -> None:
    lifting.done_at = at
    lifting.save(update_fields=["done_at"])
    named: standing.Named = {
        "recipient": lifting.recipient,
        "recipient_kind": lifting.recipient_kind,
        "purpose": lifting.purpose,
        "category": lifting.category,
    }
    if any(named.values()):
        standing.make_smaller(lifting.objection, named, by=by, via=via)
    else:
        standing.take_back(lifting.objection, by=by, via=via)
