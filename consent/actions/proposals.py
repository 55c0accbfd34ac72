"""Asking a person for a yes, her answer, and the wait before it counts.

Silence is a no: an ask runs out by itself. What she answers other than yes is hers alone to know.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.vocabulary import Via
from common.days import day_of
from common.errors import NotPermitted, NotReady, RuleBroken
from common.inputs import Number, Text, taking
from common.words import sentence as _
from consent import permissions, rules
from consent.actions import drafts, giving, helped
from consent.actions.giving import Refused, Signed
from consent.actions.sets import category_set
from consent.actions.subjects import hold
from consent.models import Proposal, ProposalItem, Subject, Terms
from consent.queries import facts, texts
from consent.queries import proposals as asks
from consent.rules.waiting import AT_ONCE, CAUTIOUS
from consent.vocabulary import (
    ANSWERABLE,
    LONGEST_NUMBER,
    LONGEST_SIGNATURE,
    MANY_DAYS,
    Channel,
    Happening,
    ProposalState,
    Signer,
    Turn,
)
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import noes, people
from governance.vocabulary import Closing


@taking(days=Number(least=1, most=MANY_DAYS, name=_("Days")))
def ask(
    *,
    subject: Subject,
    recipient: Organisation,
    purpose: Purpose,
    categories: Sequence[DataCategory],
    terms: Terms,
    by: User,
    at: datetime,
    via: Via,
    days: int | None = None,
) -> Proposal:
    """Ask one person for one yes: to one recipient, for one purpose, kind by kind.

    Without `days` it would last as R4 says. Raises NotPermitted unless `by` is the holder's advocate
    and nobody of the recipient; RuleBroken where she is being asked already, however she answered,
    or where the ask could never become a yes.
    """
    permissions.check_can_help(by, subject)
    longest = min(purpose.longest_days, rules.DEFAULT_PERIOD.days)
    _check_askable(subject, recipient, purpose, categories, terms, days or longest, at)
    if people.is_member(by, recipient):
        raise NotPermitted("from_recipient", _("Nobody of the recipient may ask for a yes to it."))
    with transaction.atomic():
        hold([subject.slot])
        if asks.asked_lately(subject, recipient, purpose, at):
            raise RuleBroken(
                "already_asked", _("She was asked for this already. Give her the time to answer.")
            )
        proposal = Proposal.objects.create(
            subject=subject,
            recipient=recipient,
            purpose=purpose,
            terms=terms,
            days=days or longest,
            asked_by=by,
            asked_at=at,
            answer_by=at + timedelta(days=settings.ASK_DAYS),
        )
        _items(proposal, categories)
        drafts.turned(proposal, Turn.ASKED, by=by, at=at, via=via)
    return proposal


@taking(
    number=Text(most=LONGEST_NUMBER, least=1, name=_("Client number")),
    days=Number(least=1, most=MANY_DAYS, name=_("Days")),
)
def ask_by_number(
    *,
    holder: Organisation,
    number: str,
    recipient: Organisation,
    purpose: Purpose,
    categories: Sequence[DataCategory],
    terms: Terms,
    by: User,
    at: datetime,
    via: Via,
    days: int | None = None,
) -> Proposal:
    """The same, of whom the holder's own client number leads to. Raises as `ask` does, and RuleBroken
    where the number is not known."""
    permissions.check_can_advise(by, holder)
    return ask(
        subject=helped.helped(holder, number, by),
        recipient=recipient,
        purpose=purpose,
        categories=categories,
        terms=terms,
        by=by,
        at=at,
        via=via,
        days=days,
    )


def _check_askable(
    subject: Subject,
    recipient: Organisation,
    purpose: Purpose,
    categories: Sequence[DataCategory],
    terms: Terms,
    days: int,
    at: datetime,
) -> None:
    if subject.holder_id == recipient.pk:
        raise RuleBroken("holder_is_recipient", _("A yes is to somebody else."))
    if not categories:
        raise RuleBroken("no_categories", _("Name the kinds of information one by one."))
    if days > purpose.longest_days:
        raise RuleBroken(
            "too_long",
            _(
                "For this purpose sharing ends after %(days)s days at most.",
                days=purpose.longest_days,
            ),
        )
    if terms.retired_at is not None or texts.older(terms, at) or purpose.retired_at is not None:
        raise RuleBroken("retired", _("This text or this purpose is not used any more."))


def _items(proposal: Proposal, categories: Sequence[DataCategory]) -> None:
    chosen = sorted({category.pk for category in categories})
    ProposalItem.objects.bulk_create(
        ProposalItem(proposal=proposal, category_id=pk) for pk in chosen
    )


@taking(
    signature=Text(most=LONGEST_SIGNATURE, least=1, name=_("Signature")),
    answers=Text(most=rules.QUESTIONS, name=_("Answers")),
)
def answer(
    *,
    proposal: Proposal,
    categories: Sequence[DataCategory],
    signature: str,
    answers: str,
    channel: Channel,
    by: User,
    at: datetime,
    via: Via,
    ends: datetime | None = None,
    record_until: date | None = None,
    lawyer_offered: bool = False,
) -> Proposal:
    """Her yes to some of what she was asked for; it counts at once, or after its wait.

    Raises NotPermitted unless `by` is the person or the holder's advocate; Refused with everything
    that stands against it; RuleBroken where it is answered, has run out, is about more than was
    asked, or no lawyer was offered first where one has to be.
    """
    permissions.check_can_speak(by, proposal.subject)
    if proposal.recipient.kind in CAUTIOUS and not lawyer_offered:
        raise RuleBroken("lawyer_first", _("Offer her to talk to a lawyer first, and say so."))
    signed = Signed(
        subject=proposal.subject,
        recipient=proposal.recipient,
        purpose=proposal.purpose,
        categories=categories,
        terms=proposal.terms,
        channel=channel,
        signer=Signer.SELF,
        signature=signature,
        answers=answers,
        signed_at=at,
        ends=ends or at + timedelta(days=min(proposal.days, proposal.purpose.longest_days)),
        record_until=record_until,
    )
    left = giving.waits(signed, at)
    opened = (
        giving.widening(signed.subject, signed.recipient, signed.purpose)
        if left == AT_ONCE
        else scopes.plain()
    )
    with opened as moment:
        hold([proposal.subject_id])
        current = _answerable(proposal, at)
        _check_asked(current, categories, signed.last, at)
        if found := giving.problems(signed, by=by, at=at):
            raise Refused(found)
        if giving.waits(signed, at) != left:
            raise giving.changed()
        current.channel, current.signature, current.answers = channel, signature, answers
        current.lawyer_offered, current.signed_at, current.signed_by = lawyer_offered, at, by
        current.chosen = category_set(categories, at)
        current.ends, current.takes_effect_at = signed.last, at + left
        current.record_until = record_until or day_of(at)
        if left == AT_ONCE:
            current.consent = giving.record(
                signed, happening=_first(current), by=by, at=at, via=via, moment=moment
            )
            drafts.came_into_force(current, [Turn.SIGNED, Turn.GIVEN], at)
        else:
            current.state = ProposalState.WAITING
            current.save()
            drafts.turned(current, Turn.SIGNED, by=by, at=at, via=via)
    return current


def _first(proposal: Proposal) -> Happening:
    return Happening.RENEWED if proposal.renews_id is not None else Happening.GIVEN


def _check_asked(
    proposal: Proposal, categories: Sequence[DataCategory], ends: datetime, at: datetime
) -> None:
    offered = set(proposal.items.values_list("category_id", flat=True))
    if not {category.pk for category in categories} <= offered:
        raise RuleBroken("not_asked", _("This is more than was asked for."))
    if ends > at + timedelta(days=proposal.days):
        raise RuleBroken("longer_than_asked", _("This is longer than was asked for."))


def refuse(*, proposal: Proposal, by: User, at: datetime, via: Via) -> Proposal:
    """Her no. Whoever asked does not learn of it: to them it is an ask that was not answered.

    Raises NotPermitted unless `by` is the person or the holder's advocate; RuleBroken where it is
    answered or has run out.
    """
    permissions.check_can_say_no(by, proposal.subject)
    with transaction.atomic():
        hold([proposal.subject_id])
        current = _answerable(proposal, at)
        drafts.closed(current, Turn.REFUSED, by=by, at=at, via=via)
    return current


def defer(*, proposal: Proposal, by: User, at: datetime, via: Via) -> Proposal:
    """She decides later; it runs out on its day all the same. Raises as `refuse` does."""
    permissions.check_can_say_no(by, proposal.subject)
    with transaction.atomic():
        hold([proposal.subject_id])
        current = _answerable(proposal, at)
        if current.state != ProposalState.DEFERRED:
            current.state = ProposalState.DEFERRED
            current.save(update_fields=["state"])
            drafts.turned(current, Turn.DEFERRED, by=by, at=at, via=via)
    return current


def cancel(*, proposal: Proposal, by: User, at: datetime, via: Via) -> Proposal:
    """Take a yes back that waits, or an ask that nobody answered; at once.

    Raises NotPermitted unless `by` is the person or the holder's advocate; RuleBroken where it is
    over.
    """
    permissions.check_can_say_no(by, proposal.subject)
    with scopes.closing(act=Closing.YES_CANCELLED) as moment:
        hold([proposal.subject_id])
        current = drafts.locked().get(pk=proposal.pk)
        if current.closed_at is not None:
            raise _over()
        if current.state == ProposalState.WAITING:
            moment.tell(**facts.cancelled(current))
        drafts.closed(current, Turn.CANCELLED, by=by, at=moment.at, via=via)
    return current


def waive(*, proposal: Proposal, by: User, at: datetime, via: Via) -> Proposal:
    """Start it at once, without the rest of the wait: only she herself, never anybody for her.

    Raises NotPermitted for everybody else; Refused or RuleBroken where it cannot come into force.
    """
    permissions.check_herself(by, proposal.subject)
    return _take_effect(proposal, at, by=by, via=via, waived=True)


def settle_due(*, at: datetime, most: int = 500) -> int:
    """The clock: what has waited comes into force, what nobody answered runs out; late is safe.

    A yes that something stands against by now runs out instead. Nothing comes into force while noes
    are not known here. Gives how many were settled.
    """
    return _each(asks.unanswered(at)[:most], lambda one: _lapse(one, at)) + (
        _each(asks.waited(at)[:most], lambda one: _settle(one, at)) if noes.against() is None else 0
    )


def _each(found: Iterable[Proposal], settle: Callable[[Proposal], None]) -> int:
    done = 0
    for proposal in found:
        with suppress(NotReady, RuleBroken):  # a key is away, or another was faster
            settle(proposal)
            done += 1
    return done


def _settle(proposal: Proposal, at: datetime) -> None:
    signed = giving.of(proposal)
    by = proposal.signed_by
    if by is None or giving.problems(signed, by=by, at=at):
        _lapse(proposal, at)
    else:
        _take_effect(proposal, at, by=by, via=Via.TASK, waived=False)


def _lapse(proposal: Proposal, at: datetime) -> None:
    with transaction.atomic():
        hold([proposal.subject_id])
        current = drafts.locked().get(pk=proposal.pk)
        if current.closed_at is not None:
            raise _over()
        drafts.closed(current, Turn.LAPSED, by=None, at=at, via=Via.TASK)


def _take_effect(proposal: Proposal, at: datetime, *, by: User, via: Via, waived: bool) -> Proposal:
    with giving.widening(proposal.subject, proposal.recipient, proposal.purpose) as moment:
        hold([proposal.subject_id])
        current = drafts.locked().get(pk=proposal.pk)
        due = current.takes_effect_at
        if current.state != ProposalState.WAITING or due is None:
            raise RuleBroken("not_waiting", _("This does not wait any more."))
        if not waived and at < due:
            raise RuleBroken("not_due", _("It is not time for this yet."))
        signed = giving.of(current)
        if found := giving.problems(signed, by=current.signed_by or by, at=at):
            raise Refused(found)
        starts = at if waived else due
        if starts >= signed.last:
            raise RuleBroken("ends_before_start", _("Its end is past already."))
        current.consent = giving.record(
            signed,
            happening=_first(current),
            starts=starts,
            by=by,
            at=at,
            via=via,
            moment=moment,
        )
        turns = [Turn.WAIVED, Turn.GIVEN] if waived else [Turn.GIVEN]
        drafts.came_into_force(current, turns, at)
    return current


def ask_renewals(*, at: datetime, most: int = 500) -> int:
    """The clock: whose yes ends soon is asked once whether it shall go on, and who came of age what
    others said yes to for her (R7); silence ends it. Gives how many were asked.
    """
    done = 0
    for consent, terms in [*asks.ending_soon(at), *asks.come_of_age(at)][:most]:
        with suppress(NotReady, RuleBroken), transaction.atomic():
            hold([consent.subject_id])
            if asks.asked_lately(consent.subject, consent.recipient, consent.purpose, at):
                continue
            last, length = consent.ends, max((consent.ends - consent.starts).days, 1)
            proposal = Proposal.objects.create(
                subject=consent.subject,
                recipient=consent.recipient,
                purpose=consent.purpose,
                terms=terms,
                days=min(length, consent.purpose.longest_days),
                renews=consent,
                asked_at=at,
                answer_by=last if last > at else at + timedelta(days=settings.ASK_DAYS),
            )
            _items(proposal, asks.categories_of(consent.category_set_id))
            drafts.turned(proposal, Turn.ASKED, by=None, at=at, via=Via.TASK)
            done += 1
    return done


def _answerable(proposal: Proposal, at: datetime) -> Proposal:
    current = drafts.locked().get(pk=proposal.pk)
    if current.state not in ANSWERABLE:
        raise _over()
    if current.answer_by <= at:
        raise RuleBroken("ran_out", _("The time to answer this is over."))
    return current


def _over() -> RuleBroken:
    return RuleBroken("answered", _("This is answered already."))
