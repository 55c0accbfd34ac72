"""On her word an advocate shuts or closes a person's way in, or freezes what she shares.

Shutting is for the hour in which somebody else has her words or her device; a new code opens it
again. Closing is for good. Neither is a no to sharing: freezing is a deed of its own.
"""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import helped, objections, subjects, survivors
from consent.actions.shredding import NUMBER
from consent.actions.wiping import written
from consent.models import Subject
from consent.permissions import check_can_advise
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Closing


@taking(number=NUMBER)
def shut(*, holder: Organisation, number: str, by: User, at: datetime, via: Via) -> None:
    """Nobody signs in with her words any more, and whoever is in is out at once.

    Raises NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not
    known, she has no sign-in, or it is shut already.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    with scopes.closing(act=Closing.ACCOUNT_SHUT) as moment:
        person = _account(subject)
        if person.shut_at is not None:
            raise RuleBroken("shut_already", _("This sign-in is shut already."))
        survivors.lock(person=person, at=moment.at)
        moment.tell(what="shut", user=person.ref)
        written(EntryType.USER_CHANGED, subject, by=by, at=moment.at, via=via)


@taking(number=NUMBER)
def close(*, holder: Organisation, number: str, by: User, at: datetime, via: Via) -> None:
    """Her sign-in ends for good, none of her sharing with it. She may be given a first code again.

    Raises NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not
    known or she has no sign-in.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    with scopes.closing(act=Closing.ACCOUNT_ENDED) as moment:
        person = _account(subject)
        survivors.finish(person=person, at=moment.at)
        moment.tell(what="account", user=person.ref)
        written(EntryType.USER_ENDED, subject, by=by, at=moment.at, via=via)


@taking(number=NUMBER)
def freeze(*, holder: Organisation, number: str, by: User, at: datetime, via: Via) -> None:
    """Nothing new goes to anybody from this holder: her no to everything, until she takes it back.
    Her way in stays as it is, and so do her own copies.

    Raises NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not
    known or this no stands already.
    """
    check_can_advise(by, holder)
    objections.make(subject=helped.met(holder, number, by), by=by, at=at, via=via)


def _account(subject: Subject) -> User:
    """Her sign-in, held. Raises RuleBroken where she has none."""
    subjects.hold([subject.slot])
    current = Subject.objects.get(pk=subject.pk)
    held = User.objects.select_for_update(no_key=True)
    person = held.filter(subjects=current, ended_at__isnull=True).first()
    if person is None:
        raise RuleBroken("no_sign_in", _("This person has no sign-in."))
    return person
