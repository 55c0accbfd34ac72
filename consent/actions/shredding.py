"""Shredding: two people of a holder agree, a delay passes, and nothing leads to the person any more.

Until it is carried out each hand calls it off, and so does she. A legal hold keeps it from being
agreed to and from being carried out. Afterwards there is no way back, for anybody.
"""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import helped, subjects
from consent.actions.wiping import opened, written
from consent.models import Shredding, Subject
from consent.permissions import can_speak, check_can_shred
from consent.queries import facts
from consent.queries import shredding as queries
from consent.vocabulary import LONGEST_NUMBER, LONGEST_WHY
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Closing, UserKind

NUMBER = Text(most=LONGEST_NUMBER, least=1, name=_("Client number"))


@taking(number=NUMBER, why=Text(most=LONGEST_WHY, least=1, lines=True, name=_("Why")))
def ask(
    *, holder: Organisation, number: str, why: str, by: User, at: datetime, via: Via
) -> Shredding:
    """The first hand: nothing happens until a second one agrees.

    `why` is sealed under the person's own key and ends with it. Raises NotPermitted unless `by` is
    an advocate or administrator of the holder; RuleBroken where the number is not known, she
    keeps `by` away, the law keeps the record, or it is asked for already; NotReady where the holder's key is not there.
    """
    check_can_shred(by, holder)
    subject = helped.met(holder, number, by)
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
        current = opened(shredding)
        if current.agreed_at is not None:
            raise RuleBroken("already_agreed", _("Somebody has agreed to this already."))
        if current.asked_by_id == by.pk:
            raise RuleBroken("second_person", _("Somebody else has to agree: you asked for it."))
        if helped.met(holder, number, by).slot != current.subject_id:
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
        current = opened(shredding)
        moment.tell(**facts.called_off(current))
        current.called_off_at, current.called_off_by = at, None if herself else by
        current.save(update_fields=["called_off_at", "called_off_by"])
        written(EntryType.SHREDDING_CALLED_OFF, current.subject, by=by, at=at, via=via)
    return current


def _check_not_held(subject: Subject, at: datetime) -> None:
    if queries.is_held(subject, at):
        raise RuleBroken("held", _("A legal hold keeps this record. It cannot be wiped now."))
