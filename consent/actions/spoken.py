"""The inside of every deed about who speaks for a person: what ends with it, and its entry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit.vocabulary import EntryType, Via
from common.days import begins
from common.errors import BadInput, RuleBroken
from common.inputs import Text
from common.words import sentence as _
from consent.actions import drafts, giving, subjects
from consent.actions.happenings import end
from consent.actions.wiping import written
from consent.models import (
    Consent,
    Death,
    Dispute,
    Flag,
    Invalidation,
    Minority,
    Representative,
    Subject,
)
from consent.queries import facts, speaking
from consent.vocabulary import (
    LONGEST_NUMBER,
    LONGEST_WHO,
    Ending,
    Invalidity,
    Signer,
    Speaker,
)
from governance.actions import scopes
from governance.models import User

NUMBER = Text(most=LONGEST_NUMBER, least=1, name=_("Client number"))
WHO = Text(most=LONGEST_WHO, least=1, name=_("Who it is"))
DOCUMENT = Text(most=64, slug=True, name=_("Digest"))


def digest(document: str) -> str:
    """The SHA-256 of a paper, as it is kept. Raises BadInput where it is none."""
    found = document.lower()
    if len(found) != 64 or any(sign not in "0123456789abcdef" for sign in found):
        raise BadInput(
            "document", _("Give the document's SHA-256: 64 digits 0-9, a-f."), where="document"
        )
    return found


def check_not_flagged(representative: Representative, *, by: User, at: datetime, via: Via) -> None:
    """Whoever may never speak for her is refused, and that it was tried is written down."""
    if speaking.flagged(representative.subject, representative.who):
        refuse(representative.subject, by=by, at=at, via=via)


def refuse(subject: Subject, *, by: User, at: datetime, via: Via) -> None:
    """Raises RuleBroken, after the entry has been written; why is told to nobody."""
    with transaction.atomic():
        subjects.hold([subject.slot])
        written(EntryType.SPEAKER_REFUSED, subject, by=by, at=at, via=via)
    raise RuleBroken("may_not_speak", _("This person cannot say yes here."))


def noted(
    type_: EntryType, subject: Subject, *, by: User, moment: scopes.Moment, via: Via, **said: Any
) -> Any:
    """The entry of a no to everyone."""
    return written(
        type_, subject, by=by, at=moment.at, via=via, epoch_everyone=moment.everyone, **said
    )


def silence(
    several: Iterable[Representative],
    ending: Ending = Ending.WITHDRAWN,
    *,
    by: User,
    via: Via,
    moment: scopes.Moment,
) -> None:
    """Inside a no to everyone: their authority ends, and with it every yes they gave."""
    for each in several:
        each.ended_at, each.ended_by = moment.at, by
        each.save(update_fields=["ended_at", "ended_by"])
        moment.tell(**facts.silenced(each))
        noted(EntryType.SPEAKER_ENDED, each.subject, by=by, moment=moment, via=via)
        stopped(Q(spoken__representative=each), ending, by=by, via=via, moment=moment)


def stopped(
    which: Q,
    ending: Ending = Ending.WITHDRAWN,
    *,
    by: User,
    via: Via,
    moment: scopes.Moment,
) -> list[Consent]:
    """Inside a no: the yeses that this speaks about end. Gives those that ended."""
    rows = Consent.objects.filter(which, ended_at__isnull=True).order_by("pk")
    ended = list(giving.held().filter(pk__in=rows.values("pk")).order_by("pk"))
    for each in ended:
        end(each, ending, by=by, via=via, moment=moment)
        if ending == Ending.INVALIDATED:
            Invalidation.objects.create(consent=each, reason=Invalidity.NOT_ENTITLED)
    return ended


def held(subject: Subject) -> list[Representative]:
    """Whoever's authority has not been ended by hand, held."""
    rows = Representative.objects.select_for_update(of=("self",)).select_related("subject__holder")
    return list(rows.filter(subject=subject, ended_at__isnull=True).order_by("pk"))


def minority_stands(minority: Minority, *, by: User, via: Via, moment: scopes.Moment) -> Minority:
    """Inside a no to everyone that holds her row: it stands, and what it speaks against ends."""
    subject: Subject = minority.subject
    for each in speaking.minorities().filter(subject=subject):
        each.ended_at, each.ended_by = moment.at, by
        each.save(update_fields=["ended_at", "ended_by"])
    minority.recorded_by, minority.recorded_at = by, moment.at
    minority.entry = noted(EntryType.MINORITY_RECORDED, subject, by=by, moment=moment, via=via)
    minority.save()
    moment.tell(**facts.minor(minority))
    until = begins(minority.majority)
    silence(
        [
            each
            for each in held(subject)
            if each.kind != Speaker.ESTATE and (minority.alone or each.ends > until)
        ],
        by=by,
        via=via,
        moment=moment,
    )
    if not minority.alone:
        stopped(Q(subject=subject, signer=Signer.SELF), by=by, via=via, moment=moment)
        drafts.drop([subject.slot], by=by, via=via, moment=moment)
    return minority


def flag_stands(flag: Flag, *, by: User, via: Via, moment: scopes.Moment) -> Flag:
    """Inside a no to everyone that holds her row: it stands, and whatever this one gave was none."""
    flag.made_by, flag.made_at = by, moment.at
    flag.entry = noted(EntryType.SPEAKER_FLAGGED, flag.subject, by=by, moment=moment, via=via)
    flag.save()
    moment.tell(**facts.flagged(flag))
    theirs = [each for each in held(flag.subject) if each.who == flag.who]
    silence(theirs, Ending.INVALIDATED, by=by, via=via, moment=moment)
    return flag


def dispute_stands(dispute: Dispute, *, by: User, via: Via, moment: scopes.Moment) -> Dispute:
    """Inside a no to everyone that holds her row: from now on it is disputed."""
    dispute.reported_by, dispute.reported_at = by, moment.at
    dispute.entry = noted(
        EntryType.DISPUTE_REPORTED, dispute.subject, by=by, moment=moment, via=via
    )
    dispute.save()
    moment.tell(**facts.disputed(dispute))
    return dispute


def death_counts(death: Death, *, by: User, via: Via, moment: scopes.Moment) -> None:
    """Inside a no to everyone that holds her row: every yes ends, and whoever spoke for her does so
    no more, save who settles what she left."""
    death.counts_at = moment.at
    death.save()
    moment.tell(**facts.died(death))
    subject = death.subject
    silence(
        [each for each in held(subject) if each.kind != Speaker.ESTATE],
        by=by,
        via=via,
        moment=moment,
    )
    stopped(Q(subject=subject), by=by, via=via, moment=moment)
    drafts.drop([subject.slot], by=by, via=via, moment=moment)
