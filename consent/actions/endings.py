"""A yes that has come to its end is written down as ended, so that nobody has to work it out."""

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from consent.actions import giving
from consent.actions.happenings import happened
from consent.actions.subjects import hold
from consent.queries import endings, sharing
from consent.vocabulary import Happening
from governance.queries import noes


def note_due(*, at: datetime, most: int = 500) -> int:
    """The clock: whatever has come to its end gets its event, its entry and its mark, once; late is
    safe. Gives how many did.

    No epoch moves: from its end on a yes permits nothing anyway, and whatever rests on it knows when
    that is (`good_until`, the watch of a recall). One person at a time, so that no word of hers waits
    for anybody else's. Nothing is written while noes are not known here: one may have ended it first.
    """
    if noes.against() is not None:
        return 0
    done = 0
    for pk, slot in endings.unnoted(at, most):
        with suppress(NotReady, RuleBroken), transaction.atomic():  # shredded just now
            hold([slot])
            done += _noted(pk, at)
    return done


def _noted(pk: int, at: datetime) -> bool:
    """Whether it still had to be: she, or another clock, may have been faster."""
    current = giving.held().get(pk=pk)
    if current.ended_at is not None or current.expired_at is not None:
        return False
    if sharing.fact(current).lasts_until > at:
        return False
    current.expired_at = at
    current.save(update_fields=["expired_at"])
    happened(current, Happening.EXPIRED, EntryType.CONSENT_EXPIRED, by=None, at=at, via=Via.TASK)
    return True
