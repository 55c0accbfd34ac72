"""What a person says is wrong, or is not to be shared for now: held back at once, then decided."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import contesting, helped, standing
from consent.actions.subjects import hold
from consent.actions.wiping import written
from consent.models import Contest, Objection, Subject
from consent.permissions import check_can_advise, check_can_say_no
from consent.queries import words
from consent.queries.objections import own
from consent.rules import contests as rules
from consent.vocabulary import LONGEST_NUMBER, Contested, Decided
from governance.actions import scopes
from governance.models import DataCategory, Organisation, User
from governance.permissions import check_can_steward
from governance.queries import clock
from governance.rules import closing
from governance.vocabulary import Narrowing


@taking()
def ask(
    *, subject: Subject, category: DataCategory, kind: Contested, by: User, at: datetime, via: Via
) -> Contest:
    """From now on nothing of this kind of information goes out of this holder, whatever she said
    yes to, until a steward of the holder has decided.

    Raises NotPermitted unless `by` is the person or an advocate who may hear her; RuleBroken where
    the same waits already.
    """
    check_can_say_no(by, subject)
    slots = [subject.slot]
    with scopes.narrowing(act=Narrowing.OBJECTION_MADE, everyone=True, slots=slots) as moment:
        hold(slots)
        if contesting.open_one(subject, category, kind) is not None:
            raise RuleBroken("contested_already", _("This waits to be decided already."))
        contest = Contest(subject=subject, category=category, kind=kind, asked_at=moment.at)
        return contesting.stands(contest, by=by, via=via, moment=moment)


@taking(number=Text(most=LONGEST_NUMBER, least=1, name=_("Client number")))
def ask_by_number(
    *,
    holder: Organisation,
    number: str,
    category: DataCategory,
    kind: Contested,
    by: User,
    at: datetime,
    via: Via,
) -> Contest:
    """The same, said aloud to an advocate of the holder.

    Raises RuleBroken too where the number is not known, or she keeps `by` away.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    return ask(subject=subject, category=category, kind=kind, by=by, at=at, via=via)


@taking()
@transaction.atomic
def decide(*, contest: Contest, decision: Decided, by: User, at: datetime, via: Via) -> Contest:
    """What she said is decided. Where it may go again it goes at once, as far as she said yes to it;
    what stays unshared is a standing no of hers from now on, which she takes back like any other.

    Raises NotPermitted unless `by` is a steward of the holder; RuleBroken where it is decided
    already, or this does not answer what was asked.
    """
    check_can_steward(by, contest.subject.holder)
    hold([contest.subject_id])
    rows = Contest.objects.select_for_update(of=("self",))
    current = rows.select_related("subject__holder", "category", "objection").get(pk=contest.pk)
    if current.decided_at is not None or current.subject.shredded_at is not None:
        raise RuleBroken("decided_already", _("This is decided already."))
    kind, decision = Contested(current.kind), Decided(decision)
    if not rules.fits(kind, decision):
        raise RuleBroken("decision_other", _("This does not answer what was asked."))
    current.decision, current.decided_by = decision, by
    current.decided_at = closing(current.asked_at, clock.now())
    current.decided_entry = written(
        EntryType.CORRECTION_DECIDED,
        current.subject,
        by=by,
        at=current.decided_at,
        via=via,
        beside=words.beside_contest(current),
    )
    hers = _said_by_herself(current)
    current.save(update_fields=["decision", "decided_by", "decided_at", "decided_entry"])
    if rules.goes_again(kind, decision) or hers:
        standing.take_back(current.objection, by=by, via=via)
    return current


def _said_by_herself(contest: Contest) -> bool:
    """Whether she has a no of her own in the same words: then this one need not stand beside it."""
    rows = Objection.objects.filter(
        subject=contest.subject_id,
        recipient__isnull=True,
        recipient_kind="",
        purpose__isnull=True,
        category=contest.category_id,
        lifted_at__isnull=True,
    )
    return own(rows).exists()
