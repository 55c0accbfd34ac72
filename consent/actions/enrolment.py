"""A person comes to a sign-in of her own with a code from her advocate; and comes in again with one.

The code stands on paper, works once, for three days, and only while whoever gave it sits beside her
holder's clients. One that sets new words waits a day first, in which she can refuse it from inside.
"""

from datetime import datetime, timedelta

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common import codes
from common.errors import BadInput, NotPermitted, RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from consent.actions import helped, opening, subjects
from consent.actions.shredding import NUMBER
from consent.actions.wiping import written
from consent.models import EnrolmentCode, Subject
from consent.permissions import check_can_advise
from consent.queries import enrolment as queries
from consent.queries import facts
from consent.vocabulary import CodeKind
from governance.actions import people, scopes, trail
from governance.models import Organisation, PaperCode, Sitting, User
from governance.queries import factors
from governance.vocabulary import Closing, UserKind

CODE = Text(most=codes.LONGEST, least=1, name=_("Code"))
LIFE = timedelta(hours=72)
HOLD = timedelta(hours=24)
"""How long a code that sets new words waits before it opens."""


@taking(number=NUMBER)
def issue(
    *,
    holder: Organisation,
    number: str,
    kind: CodeKind,
    talked: bool,
    by: User,
    at: datetime,
    via: Via,
) -> tuple[EnrolmentCode, str]:
    """A code for one client, told now and never again; an earlier one of hers opens nothing more.
    Whoever gives it helps her from now on, where nobody ever did.

    `talked`: the two have talked about which devices are safe. Raises BadInput without that;
    NotPermitted unless `by` is an advocate of the holder; RuleBroken where the number is not known,
    or she has a sign-in already (ARRIVAL) or has none (RETURN); NotReady where the holder's key is
    not there.
    """
    check_can_advise(by, holder)
    kind = CodeKind(kind)
    if not talked:
        raise BadInput(
            "talk_missing",
            _("First talk with the person about which device is safe to use."),
            where="talked",
        )
    subject = helped.met(holder, number, by)
    code = codes.short()
    with scopes.closing(act=Closing.INVITATION_WITHDRAWN) as moment:
        current = _held(subject)
        _check_sign_in(current, kind)
        for earlier in EnrolmentCode.objects.select_related("subject__holder").filter(
            subject=current, used_at__isnull=True, cancelled_at__isnull=True
        ):
            _cancelled(earlier, by, via, moment)
        opens = moment.at + (HOLD if kind == CodeKind.RETURN else timedelta())
        made = EnrolmentCode.objects.create(
            subject=current,
            kind=kind,
            digest=queries.digest(code),
            issued_by=by,
            issued_at=moment.at,
            talked_at=moment.at,
            opens_at=opens,
            expires_at=opens + LIFE,
        )
        written(opening.WORDS[kind][0], current, by=by, at=moment.at, via=via)
        helped.begin_first(current, by=by, at=moment.at, via=via)
    return made, code


@taking()
def cancel(*, code: EnrolmentCode, by: User, at: datetime, via: Via) -> EnrolmentCode:
    """Nobody comes in with this code any more: an advocate of the holder takes it back, or the
    person refuses it, from inside, where it would set new words for her own sign-in.

    Raises NotPermitted otherwise; RuleBroken where it was used or cancelled already.
    """
    if by.kind == UserKind.SURVIVOR:
        if not Subject.objects.filter(pk=code.subject_id, account=by).exists():
            raise NotPermitted("not_yours", _("You cannot speak for this person."))
    else:
        check_can_advise(by, code.subject.holder)
    with scopes.closing(act=Closing.INVITATION_WITHDRAWN) as moment:
        subjects.hold([code.subject_id])
        held = EnrolmentCode.objects.select_for_update(of=("self",))
        current = held.select_related("subject__holder").get(pk=code.pk)
        if current.used_at is not None or current.cancelled_at is not None:
            raise RuleBroken("code_closed", _("This code was used or taken back already."))
        _cancelled(current, by, via, moment)
    return current


@taking(
    code=CODE,
    username=of(User, "username"),
    password=people.PASSWORD,
    language=of(User, "language"),
)
@transaction.atomic
def redeem(
    *, code: str, username: str, password: str, at: datetime, via: Via, language: str = "en"
) -> User:
    """Whoever has the code makes her own sign-in, and sees and changes her own sharing with it.

    Raises RuleBroken where the code opens nothing (any more) or the name is taken; BadInput for a
    name or words that cannot be.
    """
    found = _opened(code, CodeKind.ARRIVAL, at)
    subject = found.subject
    user = people.insert(
        username=username, kind=UserKind.SURVIVOR, password=password, language=language
    )
    # The log names no survivor, not even by an opaque reference.
    trail.record(type=EntryType.USER_CREATED, by=user, at=at, via=via, reason=user.kind)
    subject.account = user
    subject.save(update_fields=["account"])
    opening.used(found, user, at, via)
    return user


@taking(code=CODE, password=people.PASSWORD)
@transaction.atomic
def recover(*, code: str, password: str, at: datetime, via: Via) -> User:
    """Whoever has the code, after its day of waiting, sets new words for the sign-in she has. A way
    in that was shut is open again, every other sign-in is over, her former paper opens nothing, and
    no second thing is asked for any more.

    Raises RuleBroken where the code opens nothing (yet, or any more); BadInput for words that are
    too easy to guess.
    """
    found = _opened(code, CodeKind.RETURN, at)
    person = User.objects.select_for_update(no_key=True).get(subjects=found.subject)
    people.set_password(person, password)
    person.shut_at, person.signed_out_at = None, at
    person.save(update_fields=["password", "shut_at", "signed_out_at"])
    Sitting.objects.filter(user=person).delete()
    PaperCode.objects.filter(user=person).delete()
    factors.of(person).delete()
    opening.used(found, person, at, via)
    return person


def _held(subject: Subject) -> Subject:
    """Her row as it stands, held until this transaction ends."""
    subjects.hold([subject.slot])
    return Subject.objects.select_related("holder", "account").get(pk=subject.pk)


def _check_sign_in(subject: Subject, kind: CodeKind) -> None:
    if kind == CodeKind.ARRIVAL and opening.has_sign_in(subject):
        raise RuleBroken("has_sign_in", _("This person has a sign-in already. Help her back in."))
    if kind == CodeKind.RETURN and not opening.has_sign_in(subject):
        raise RuleBroken("no_sign_in", _("This person has no sign-in. Give her a first code."))


def _opened(typed: str, kind: CodeKind, at: datetime) -> EnrolmentCode:
    """The code under lock, where it opens at this instant what it is for."""
    seen = queries.code(typed, at)
    if seen is None:
        raise _over()
    subject = _held(seen.subject)
    EnrolmentCode.objects.select_for_update(of=("self",)).get(pk=seen.pk)
    found = queries.code(typed, at)  # again, under the locks: a code works once
    if found is None or found.kind != kind or found.opens_at > at:
        raise _over()
    if opening.has_sign_in(subject) != (kind == CodeKind.RETURN):
        raise _over()
    found.subject = subject
    return found


def _cancelled(code: EnrolmentCode, by: User, via: Via, moment: scopes.Moment) -> None:
    code.cancelled_at = moment.at
    code.save(update_fields=["cancelled_at"])
    if code.expires_at > moment.at:  # what is over by itself needs no file
        moment.tell(**facts.code_over(code))
    written(opening.WORDS[CodeKind(code.kind)][1], code.subject, by=by, at=moment.at, via=via)


def _over() -> RuleBroken:
    return RuleBroken("code_over", _("This code does not open anything, or not any more."))
