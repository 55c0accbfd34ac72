"""The steps of carrying a shredding out: the rung above does it, for it knows what held her record."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from audit.vocabulary import Via
from common.errors import NotReady, RuleBroken
from common.words import sentence as _
from consent.actions import wiping
from consent.models import Shredding, Subject
from consent.queries import shredding as queries
from governance.actions import filing, scopes
from governance.models import Organisation
from governance.vocabulary import Narrowing

# A no that was said at the same moment may still be on its way into the file of noes.
SETTLED = timedelta(minutes=1)


@contextmanager
def carrying_out(shredding: Shredding) -> Iterator[Subject]:
    """One durable transaction, a no to everyone: it happened whole, or not at all.

    Inside it her key still opens and nothing is released: what others need of it is left then. Raises
    RuleBroken where it was called off, held or done by another clock in the meantime.
    """
    slot = shredding.subject_id
    with scopes.narrowing(act=Narrowing.SUBJECT_SHREDDED, everyone=True, slots=[slot]) as moment:
        # In the order of an enrolment, which finds her number or a free one, nothing between.
        Organisation.objects.select_for_update(no_key=True).get(pk=shredding.subject.holder_id)
        current = wiping.opened(shredding)
        _check_due(current, moment.at)
        yield current.subject
        wiping.wipe(current.subject, by=None, via=Via.TASK, moment=moment)
        current.shredded_at = moment.at
        current.save(update_fields=["shredded_at"])
    _overwrite()


def clean(at: datetime) -> int:
    """Noes in their file lose what led to a shredded person, once nothing about her is on its way
    there. Gives how many were cleaned."""
    done = 0
    for each in queries.uncleaned(at - SETTLED):
        try:
            filing.write_anew(each.subject_id)
        except NotReady:
            break  # the disk does not take it: the next round tries again
        _overwrite()
        done += Shredding.objects.filter(pk=each.pk, cleaned_at__isnull=True).update(cleaned_at=at)
    return done


def _check_due(shredding: Shredding, at: datetime) -> None:
    due = queries.due(shredding)
    if due is None or at < due:
        raise RuleBroken("not_due", _("It is not time for this yet."))


def _overwrite() -> None:
    """SQLite: what was overwritten is so in the file itself, not only in the log beside it."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
