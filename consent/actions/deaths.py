"""That a person has died: by two people of her holder, or by one who has seen the paper (R31)."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped, spoken, subjects
from consent.actions.spoken import DOCUMENT, NUMBER
from consent.actions.wiping import written
from consent.models import Death, Subject
from consent.permissions import check_can_shred
from consent.queries import speaking
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Narrowing


@taking(number=NUMBER, document=DOCUMENT)
def report(
    *,
    holder: Organisation,
    number: str,
    by: User,
    at: datetime,
    via: Via,
    document: str = "",
) -> Death:
    """Say that one client has died. With `document`, the SHA-256 of the paper, it counts at once;
    without one it waits for a second person.

    Where it counts, every yes has ended, and from then on nothing goes without one that was given
    after it, for one recipient and one purpose, by who settles what she left. Raises NotPermitted
    unless `by` is an advocate or administrator of the holder; BadInput where it is no digest;
    RuleBroken where the number is not known or this is said already; NotReady where a document is
    named and the holder's key is not there.
    """
    check_can_shred(by, holder)
    sealed = spoken.digest(document) if document else None
    subject = helped.met(holder, number, by)
    slot = subject.slot
    death = Death(subject=subject, documented=sealed is not None, reported_by=by)
    if sealed is None:
        with transaction.atomic():
            subjects.hold([slot])
            _check_new(subject)
            death.reported_at = at
            death.entry = written(EntryType.DEATH_REPORTED, subject, by=by, at=at, via=via)
            death.save()
        return death
    with scopes.narrowing(act=Narrowing.DEATH_RECORDED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        _check_new(subject)
        death.reported_at = moment.at
        death.entry = spoken.noted(
            EntryType.DEATH_REPORTED, subject, by=by, moment=moment, via=via, detail=sealed
        )
        spoken.death_counts(death, by=by, via=via, moment=moment)
    return death


@taking(number=NUMBER)
def agree(*, death: Death, number: str, by: User, at: datetime, via: Via) -> Death:
    """The second person, who must know the number too: from now on it counts.

    Raises NotPermitted unless `by` is an advocate or administrator of the holder; RuleBroken where
    it is the first person, the number is another one's, or it counts or was taken back already.
    """
    holder, slot = death.subject.holder, death.subject_id
    check_can_shred(by, holder)
    with scopes.narrowing(act=Narrowing.DEATH_RECORDED, everyone=True, slots=[slot]) as moment:
        current = _standing(death)
        if current.counts_at is not None:
            raise RuleBroken("already_agreed", _("Somebody has agreed to this already."))
        if current.reported_by_id == by.pk:
            raise RuleBroken("second_person", _("Somebody else has to agree: you asked for it."))
        if helped.met(holder, number, by).slot != slot:
            raise RuleBroken("number_other", _("This is asked for about another client number."))
        current.agreed_by, current.agreed_at = by, moment.at
        spoken.noted(EntryType.DEATH_AGREED, current.subject, by=by, moment=moment, via=via)
        spoken.death_counts(current, by=by, via=via, moment=moment)
    return current


def take_back(*, death: Death, by: User, at: datetime, via: Via) -> Death:
    """It was a mistake. Nothing that had ended comes back: she is asked anew.

    Raises NotPermitted unless `by` is an advocate or administrator of the holder; RuleBroken where
    it was taken back already.
    """
    check_can_shred(by, death.subject.holder)
    with transaction.atomic():
        current = _standing(death)
        current.taken_back_at, current.taken_back_by = at, by
        current.save(update_fields=["taken_back_at", "taken_back_by"])
        written(EntryType.DEATH_TAKEN_BACK, current.subject, by=by, at=at, via=via)
    return current


def _check_new(subject: Subject) -> None:
    if speaking.reported_deaths().filter(subject=subject).exists():
        raise RuleBroken("reported_already", _("This is recorded already."))


def _standing(death: Death) -> Death:
    subjects.hold([death.subject_id])
    rows = Death.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = rows.get(pk=death.pk)
    if current.taken_back_at is not None:
        raise RuleBroken("taken_back", _("This was taken back."))
    return current
