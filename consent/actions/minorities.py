"""That a person is a minor: until which day, and whether she decides alone all the same."""

from datetime import date, datetime

from django.db.models import Q

from audit.vocabulary import EntryType, Via
from common.days import begins
from common.errors import BadInput
from common.inputs import taking
from common.words import sentence as _
from consent.actions import drafts, spoken, subjects
from consent.actions.spoken import NUMBER
from consent.actions.wiping import known
from consent.models import Minority, Subject
from consent.permissions import check_can_advise
from consent.queries import facts, speaking
from consent.vocabulary import Signer, Speaker
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Narrowing


@taking(number=NUMBER)
def record(
    *,
    holder: Organisation,
    number: str,
    majority: date,
    alone: bool,
    by: User,
    at: datetime,
    via: Via,
) -> Minority:
    """Write down that one client is a minor until the beginning of the day `majority`; with `alone`,
    that she may lawfully receive this service alone.

    What was said against it ends at once: her own yeses where she does not decide alone, the others'
    where she does, and whose authority would outlast the day. Takes the place of what stood before.
    Raises NotPermitted unless `by` is the holder's advocate; BadInput where the day is not to come;
    RuleBroken where the number is not known; NotReady where the holder's key is not there.
    """
    check_can_advise(by, holder)
    if begins(majority) <= at:
        raise BadInput(
            "majority_in_past", _("Choose a day that is still to come."), where="majority"
        )
    subject = known(holder, number)
    slot = subject.slot
    with scopes.narrowing(act=Narrowing.MINORITY_RECORDED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        return stand(
            Minority(subject=subject, majority=majority, alone=alone),
            by=by,
            via=via,
            moment=moment,
        )


def stand(minority: Minority, *, by: User, via: Via, moment: scopes.Moment) -> Minority:
    """Inside a no to everyone that holds her row: it stands, and what it speaks against ends."""
    subject: Subject = minority.subject
    for each in speaking.minorities().filter(subject=subject):
        each.ended_at, each.ended_by = moment.at, by
        each.save(update_fields=["ended_at", "ended_by"])
    minority.recorded_by, minority.recorded_at = by, moment.at
    minority.entry = spoken.noted(
        EntryType.MINORITY_RECORDED, subject, by=by, moment=moment, via=via
    )
    minority.save()
    moment.tell(**facts.minor(minority))
    until = begins(minority.majority)
    spoken.silence(
        [
            each
            for each in spoken.held(subject)
            if each.kind != Speaker.ESTATE and (minority.alone or each.ends > until)
        ],
        by=by,
        via=via,
        moment=moment,
    )
    if not minority.alone:
        spoken.stopped(Q(subject=subject, signer=Signer.SELF), by=by, via=via, moment=moment)
        drafts.drop([subject.slot], by=by, via=via, moment=moment)
    return minority
