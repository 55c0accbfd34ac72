"""Where a newer text lets more go: yeses to the older one end, and each person is asked afresh."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.vocabulary import Via
from common.errors import NotReady, RuleBroken
from consent.actions import drafts, giving
from consent.actions.happenings import end
from consent.actions.subjects import hold
from consent.models import Consent, Proposal, ProposalItem
from consent.queries import facts, texts
from consent.queries import proposals as asks
from consent.vocabulary import Ending, ProposalState, Turn
from governance.actions import scopes
from governance.queries import noes
from governance.vocabulary import Closing, Narrowing


def ask_due(*, at: datetime, most: int = 500) -> int:
    """The clock: every yes to a text that was replaced by one that lets more go ends, and its person
    is asked with the newer text; so is who was asked with the older one. Gives how many were.

    Until the clock comes, a yes opens what its own text says and nothing else, and no new one to that
    text comes into force. One person at a time; a holder whose key is away keeps no other waiting.
    Nothing happens while noes are not known here.
    """
    if noes.against() is not None:
        return 0
    done = 0
    for holder in texts.holders(at):
        yeses = texts.to_end(holder, at, most - done)
        done += _each(yeses, lambda pk, recipient, slot: _end(pk, recipient, slot, at))
        open_asks = texts.to_ask_anew(holder, at, most - done)
        done += _each(open_asks, lambda pk, _recipient, slot: _ask_anew(pk, slot, at))
    return done


def _each(found: Iterable[tuple[int, int, int]], deed: Callable[[int, int, int], bool]) -> int:
    done = 0
    with suppress(NotReady):  # the holder's key is away: all of the holder's wait
        for one in found:
            with suppress(RuleBroken):  # shredded just now
                done += deed(*one)
    return done


def _end(pk: int, recipient: int, slot: int, at: datetime) -> bool:
    with scopes.narrowing(
        act=Narrowing.CONSENT_SUPERSEDED, recipients=[recipient], slots=[slot]
    ) as moment:
        hold([slot])
        current = giving.held().get(pk=pk)
        if current.ended_at is not None:
            return False  # she was faster
        # Told with this instant: after a restore it ends, whenever it was signed.
        end(current, Ending.SUPERSEDED, moment.at, by=None, via=Via.TASK, moment=moment)
        if not asks.asked_lately(current.subject, current.recipient, current.purpose, at):
            _ask_instead(current, at)
    return True


def _ask_instead(consent: Consent, at: datetime) -> None:
    """The same once more, under the text that is used now."""
    text = texts.instead(consent.terms, at)
    if text is None:
        return
    asked_before = Proposal.objects.filter(renews=consent).exists()
    length = max((consent.ends - consent.starts).days, 1)
    proposal = Proposal.objects.create(
        subject=consent.subject,
        recipient=consent.recipient,
        purpose=consent.purpose,
        terms=text,
        days=min(length, consent.purpose.longest_days),
        renews=None if asked_before else consent,
        asked_at=at,
        answer_by=at + timedelta(days=settings.ASK_DAYS),
    )
    _written(proposal, [each.pk for each in asks.categories_of(consent.category_set_id)], at)


def _ask_anew(pk: int, slot: int, at: datetime) -> bool:
    """An ask under the older text is taken back, also where she signed it and it waits."""
    state = Proposal.objects.values_list("state", flat=True).get(pk=pk)
    if state != ProposalState.WAITING:
        with transaction.atomic():
            return _replaced(pk, slot, at, None)
    with scopes.closing(act=Closing.YES_CANCELLED) as moment:
        return _replaced(pk, slot, at, moment)


def _replaced(pk: int, slot: int, at: datetime, moment: scopes.Moment | None) -> bool:
    hold([slot])
    current = drafts.locked().get(pk=pk)
    text = texts.instead(current.terms, at)
    waits = current.state == ProposalState.WAITING
    if current.closed_at is not None or text is None or waits is not (moment is not None):
        return False
    if moment is not None:
        moment.tell(**facts.cancelled(current))
    drafts.closed(current, Turn.CANCELLED, by=None, at=moment.at if moment else at, via=Via.TASK)
    proposal = Proposal.objects.create(
        subject=current.subject,
        recipient=current.recipient,
        purpose=current.purpose,
        terms=text,
        days=current.days,
        asked_by=current.asked_by,
        asked_at=at,
        answer_by=at + timedelta(days=settings.ASK_DAYS),
    )
    _written(proposal, list(current.items.values_list("category_id", flat=True)), at)
    return True


def _written(proposal: Proposal, categories: list[int], at: datetime) -> None:
    ProposalItem.objects.bulk_create(
        ProposalItem(proposal=proposal, category_id=each) for each in categories
    )
    drafts.turned(proposal, Turn.ASKED, by=None, at=at, via=Via.TASK)
