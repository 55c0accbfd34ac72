"""Who helps whom: an advocate begins with somebody new, and people are handed on."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped
from consent.actions.shredding import NUMBER
from consent.actions.subjects import hold
from consent.models import Assignment
from consent.permissions import (
    can_help,
    check_can_advise,
    check_can_give_helpers,
    is_blocked,
)
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Closing


@taking(number=NUMBER)
def begin(*, holder: Organisation, number: str, by: User, at: datetime, via: Via) -> Assignment:
    """An advocate begins to help a client whom nobody ever helped.

    Raises NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not
    known, or somebody helps her already, or did: then she is handed on.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    role = helped.role_of(by, holder)
    if role is None:
        raise helped.not_free()
    with transaction.atomic():
        hold([subject.slot])
        if can_help(by, subject):
            raise RuleBroken("helped_already", _("You help this person already."))
        if Assignment.objects.filter(subject=subject).exists():
            raise RuleBroken(
                "helped_by_others",
                _(
                    "Somebody helps this person, or did. They, or an administrator of your "
                    "organisation, can hand her on to you."
                ),
            )
        return helped.begin(subject, role, by=by, at=at, via=via)


@taking()
def hand_on(
    *, assignment: Assignment, worker: User, stays: bool, by: User, at: datetime, via: Via
) -> Assignment:
    """Another advocate helps her from now on: instead of the one who did, or beside her (`stays`).

    Raises NotPermitted unless `by` helps her or administers the holder; RuleBroken where it is over
    already, or `worker` cannot help her.
    """
    check_can_give_helpers(by, assignment)
    with scopes.closing(act=Closing.ASSIGNMENT_ENDED) as moment:
        hold([assignment.subject_id])
        rows = Assignment.objects.select_for_update(of=("self",))
        current = rows.select_related("subject__holder", "membership__user").get(pk=assignment.pk)
        if current.ended_at is not None:
            raise RuleBroken("helped_over", _("Somebody has handed this person on already."))
        subject = current.subject
        role = helped.role_of(worker, subject.holder)
        if role is None or is_blocked(worker, subject) or can_help(worker, subject):
            raise helped.not_free()
        if not stays:
            helped.end(current, by=by, via=via, moment=moment)
        return helped.begin(subject, role, by=by, at=moment.at, via=via)
