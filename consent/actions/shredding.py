"""Shredding: two people of a holder agree, a delay passes, and nothing leads to the person any more.

Until it is carried out each hand calls it off, and so does she. A legal hold keeps it from being
agreed to and from being carried out. Afterwards there is no way back, for anybody.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import subjects, wiping
from consent.actions.wiping import known, written
from consent.models import Shredding, Subject
from consent.permissions import can_speak, check_can_shred
from consent.queries import facts
from consent.queries import shredding as queries
from consent.vocabulary import LONGEST_NUMBER, LONGEST_WHY
from governance.actions import filing, scopes
from governance.models import Organisation, User
from governance.queries import noes
from governance.vocabulary import Closing, Narrowing, UserKind

NUMBER = Text(most=LONGEST_NUMBER, least=1, name=_("Client number"))
# A no that was said at the same moment may still be on its way into the file of noes.
SETTLED = timedelta(minutes=1)


@taking(number=NUMBER, why=Text(most=LONGEST_WHY, least=1, lines=True, name=_("Why")))
def ask(
    *, holder: Organisation, number: str, why: str, by: User, at: datetime, via: Via
) -> Shredding:
    """The first hand: nothing happens until a second one agrees.

    `why` is sealed under the person's own key and ends with it. Raises NotPermitted unless `by` is
    an advocate or administrator of the holder; RuleBroken where the number is not known, the law
    keeps the record, or it is asked for already; NotReady where the holder's key is not there.
    """
    check_can_shred(by, holder)
    subject = known(holder, number)
    with transaction.atomic():
        subjects.hold([subject.slot])
        _check_not_held(subject, at)
        if queries.open_ones().filter(subject=subject).exists():
            raise RuleBroken("already_asked", _("This is asked for already."))
        entry = written(EntryType.SHREDDING_ASKED, subject, by=by, at=at, via=via, detail=why)
        return Shredding.objects.create(
            subject=subject, asked_by=by, asked_at=at, entry_id=entry.pk
        )


@taking(number=NUMBER)
def agree(*, shredding: Shredding, number: str, by: User, at: datetime, via: Via) -> Shredding:
    """The second hand, which must know the number too: from now on the delay runs.

    Raises NotPermitted unless `by` is an advocate or administrator of the holder; RuleBroken where
    it is the first hand, the number is another one's, or the law keeps the record.
    """
    holder = shredding.subject.holder
    check_can_shred(by, holder)
    with transaction.atomic():
        current = _open(shredding)
        if current.agreed_at is not None:
            raise RuleBroken("already_agreed", _("Somebody has agreed to this already."))
        if current.asked_by_id == by.pk:
            raise RuleBroken("second_person", _("Somebody else has to agree: you asked for it."))
        if known(holder, number).slot != current.subject_id:
            raise RuleBroken("number_other", _("This is asked for about another client number."))
        _check_not_held(current.subject, at)
        current.agreed_by, current.agreed_at = by, at
        current.save(update_fields=["agreed_by", "agreed_at"])
        written(EntryType.SHREDDING_AGREED, current.subject, by=by, at=at, via=via)
    return current


def call_off(*, shredding: Shredding, by: User, at: datetime, via: Via) -> Shredding:
    """Nothing is wiped. Either hand may, or anybody whose hand it could be; and the person. The file
    of noes hears of it: a restore must not shred whom this has kept.

    Raises NotPermitted otherwise; RuleBroken where it was called off or carried out already.
    """
    herself = by.kind == UserKind.SURVIVOR and can_speak(by, shredding.subject)
    if not herself:
        check_can_shred(by, shredding.subject.holder)
    with scopes.closing(act=Closing.SHREDDING_CALLED_OFF) as moment:
        current = _open(shredding)
        moment.tell(**facts.called_off(current))
        current.called_off_at, current.called_off_by = at, None if herself else by
        current.save(update_fields=["called_off_at", "called_off_by"])
        written(EntryType.SHREDDING_CALLED_OFF, current.subject, by=by, at=at, via=via)
    return current


def carry_out_due(*, at: datetime) -> int:
    """The clock: shred what is due, and take out of the file of noes what still leads there.

    Gives how much was done; what cannot be done now is due at the next round. While the database
    has forgotten noes nothing is shredded: what must be said again comes first.
    """
    if noes.against() is not None:
        return 0
    done = 0
    for each in queries.open_ones().filter(agreed_at__isnull=False):
        if (queries.due(each) or at) <= at:
            done += _carried_out(each)
    return done + _clean(at)


def _carried_out(shredding: Shredding) -> bool:
    """One durable transaction, a no to everyone: it happened whole, or not at all."""
    slot = shredding.subject_id
    try:
        with scopes.narrowing(
            act=Narrowing.SUBJECT_SHREDDED, everyone=True, slots=[slot]
        ) as moment:
            # In the order of an enrolment, which finds her number or a free one, nothing between.
            Organisation.objects.select_for_update(no_key=True).get(pk=shredding.subject.holder_id)
            current = _open(shredding)
            _check_due(current, moment.at)
            wiping.wipe(current.subject, by=None, via=Via.TASK, moment=moment)
            current.shredded_at = moment.at
            current.save(update_fields=["shredded_at"])
    except RuleBroken:  # called off, held or done by another clock in the meantime
        return False
    _overwrite()
    return True


def _clean(at: datetime) -> int:
    """Her noes in their file lose what led to her, once nothing about her is on its way there."""
    done = 0
    for each in queries.uncleaned(at - SETTLED):
        try:
            filing.write_anew(each.subject_id)
        except NotReady:
            break  # the disk does not take it: the next round tries again
        _overwrite()
        done += Shredding.objects.filter(pk=each.pk, cleaned_at__isnull=True).update(cleaned_at=at)
    return done


def _overwrite() -> None:
    """SQLite: what was overwritten is so in the file itself, not only in the log beside it."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(shredding: Shredding) -> Shredding:
    """The row as it stands, held, after the person's own."""
    subjects.hold([shredding.subject_id])
    held = Shredding.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = held.get(pk=shredding.pk)
    if current.called_off_at is not None or current.shredded_at is not None:
        raise RuleBroken("not_open", _("This was called off, or it is done."))
    return current


def _check_due(shredding: Shredding, at: datetime) -> None:
    due = queries.due(shredding)
    if due is None or at < due:
        raise RuleBroken("not_due", _("It is not time for this yet."))


def _check_not_held(subject: Subject, at: datetime) -> None:
    if queries.is_held(subject, at):
        raise RuleBroken("held", _("A legal hold keeps this record. It cannot be wiped now."))
