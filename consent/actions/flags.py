"""Who may never speak for a person (R9)."""

from datetime import datetime

from audit.vocabulary import Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped, spoken, subjects
from consent.actions.spoken import NUMBER, WHO
from consent.models import Flag, Representative, Subject
from consent.permissions import check_can_advise, check_can_hear
from consent.queries import keys, speaking
from consent.vocabulary import Threat
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Narrowing


@taking()
def put(
    *, representative: Representative, threat: Threat, by: User, at: datetime, via: Via
) -> Flag:
    """One who speaks for her may never do so: the authority ends, and every yes was none.

    Raises NotPermitted unless `by` is the holder's advocate; RuleBroken where this is known already.
    """
    check_can_hear(by, representative.subject)
    return _put(representative.subject, representative.who, threat, by=by, via=via)


@taking(number=NUMBER, who=WHO)
def name(
    *,
    holder: Organisation,
    number: str,
    who: str,
    threat: Threat,
    by: User,
    at: datetime,
    via: Via,
) -> Flag:
    """The same of anybody, by how the holder's own file calls this person.

    Raises as `put` does, and RuleBroken where the number is not known; NotReady where the holder's
    key is not there.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    return _put(subject, keys.known_as(subject, who), threat, by=by, via=via)


def _put(subject: Subject, who: str, threat: Threat, *, by: User, via: Via) -> Flag:
    slot = subject.slot
    with scopes.narrowing(act=Narrowing.SPEAKER_FLAGGED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        if speaking.flagged(subject, who):
            raise RuleBroken("flagged_already", _("This is recorded already."))
        flag = Flag(subject=subject, who=who, threat=threat)
        return spoken.flag_stands(flag, by=by, via=via, moment=moment)
