"""That a person is a minor: until which day, and whether she decides alone all the same."""

from datetime import date, datetime

from audit.vocabulary import Via
from common.days import begins
from common.errors import BadInput
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped, spoken, subjects
from consent.actions.spoken import NUMBER
from consent.models import Minority
from consent.permissions import check_can_advise
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
    subject = helped.met(holder, number, by)
    slot = subject.slot
    with scopes.narrowing(act=Narrowing.MINORITY_RECORDED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        return spoken.minority_stands(
            Minority(subject=subject, majority=majority, alone=alone),
            by=by,
            via=via,
            moment=moment,
        )
