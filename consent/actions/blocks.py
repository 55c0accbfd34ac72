"""A person keeps a worker away from her page, and lets that worker see it again."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped
from consent.actions.shredding import NUMBER
from consent.actions.standing import also_hers
from consent.actions.subjects import hold
from consent.actions.wiping import written
from consent.models import Block, Subject
from consent.permissions import check_can_advise, check_can_say_no, check_herself, is_blocked
from governance.actions import scopes
from governance.models import Organisation, User
from governance.rules import closing
from governance.vocabulary import Closing, UserKind


@taking()
def block(*, subject: Subject, worker: User, by: User, at: datetime, via: Via) -> None:
    """From now on this worker neither sees her page nor records anything for her: for the worker it
    is as if nobody had her number. Where she herself says it, wherever she is known.

    Raises NotPermitted unless `by` is the person or an advocate of the holder she has not blocked;
    RuleBroken where `worker` is nobody of the staff or blocked already.
    """
    check_can_say_no(by, subject)
    if worker.kind != UserKind.STAFF:
        raise RuleBroken("not_a_worker", _("Only somebody who works there can be kept away."))
    people = [subject, *(also_hers(subject) if by.kind == UserKind.SURVIVOR else [])]
    with scopes.closing(act=Closing.WORKER_BLOCKED) as moment:
        hold(each.slot for each in people)
        if is_blocked(worker, subject):
            raise RuleBroken("blocked_already", _("This worker is kept away already."))
        for each in people:
            if not is_blocked(worker, each):
                helped.keep_away(each, worker, by=by, via=via, moment=moment)


@taking(number=NUMBER)
def block_by_number(
    *,
    holder: Organisation,
    number: str,
    worker: User,
    by: User,
    at: datetime,
    via: Via,
) -> None:
    """The same on her word, of whom the holder's own client number leads to. What was so already is
    not said: an advocate learns nothing of whom she keeps away.

    Raises NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not
    known, or she keeps `by` away.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    try:
        block(subject=subject, worker=worker, by=by, at=at, via=via)
    except RuleBroken as refusal:
        if refusal.code != "blocked_already":
            raise


@taking()
def lift(*, block: Block, by: User, at: datetime, via: Via) -> None:
    """She lets this worker see her page again, wherever she is known; never anybody for her.

    Raises NotPermitted for anybody else; RuleBroken where it was lifted already.
    """
    check_herself(by, block.subject)
    people = [block.subject, *also_hers(block.subject)]
    with transaction.atomic():
        hold(each.slot for each in people)
        rows = Block.objects.select_for_update(of=("self",)).select_related("subject__holder")
        found = list(rows.filter(subject__in=people, worker=block.worker, lifted_at__isnull=True))
        if not found:
            raise RuleBroken("not_blocked", _("This worker is not kept away any more."))
        for each in found:
            each.lifted_at = closing(each.blocked_at, at)
            each.save(update_fields=["lifted_at"])
            written(
                EntryType.WORKER_UNBLOCKED,
                each.subject,
                by=by,
                at=at,
                via=via,
                reason=block.worker.ref,
            )
