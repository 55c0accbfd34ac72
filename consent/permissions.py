"""Who may record what for whom: the person herself; her no, any advocate of the holder; whatever lets
more go, or shows her list, an advocate who helps her. Whom she has blocked does none of it."""

from django.db.models import Exists, OuterRef, QuerySet

from common.errors import NotPermitted
from common.words import sentence as _
from consent.models import Assignment, Block, Subject
from governance import permissions as governance
from governance.models import Organisation, User
from governance.vocabulary import UserKind


def helping() -> QuerySet[Assignment]:
    """Who helps whom at this moment: neither ended, nor the role it hangs on, nor blocked by her."""
    blocked = Block.objects.filter(
        subject=OuterRef("subject"), worker=OuterRef("membership__user"), lifted_at__isnull=True
    )
    return Assignment.objects.filter(
        ~Exists(blocked), ended_at__isnull=True, membership__ended_at__isnull=True
    )


def is_blocked(user: User, subject: Subject) -> bool:
    """Whether this person keeps this worker away."""
    return Block.objects.filter(subject=subject, worker=user, lifted_at__isnull=True).exists()


def can_help(user: User, subject: Subject) -> bool:
    """Whether the user is an advocate of the holder's whom this person is assigned to."""
    if user.kind != UserKind.STAFF or not governance.can_advise(user, subject.holder):
        return False
    return helping().filter(subject=subject, membership__user=user).exists()


def check_can_help(user: User, subject: Subject) -> None:
    """Ask her, read her list with her."""
    _require(can_help(user, subject))


def can_speak(user: User, subject: Subject) -> bool:
    """Whether the user may record what lets more go: she herself, or an advocate who helps her."""
    return _is_herself(user, subject) or can_help(user, subject)


def can_answer(user: User, subject: Subject) -> bool:
    """Whether the user may read and answer what this person asks: an advocate who helps her, or a
    steward of the holder whom she has not blocked."""
    if can_help(user, subject):
        return True
    return governance.can_steward(user, subject.holder) and not is_blocked(user, subject)


def check_can_answer(user: User, subject: Subject) -> None:
    _require(can_answer(user, subject))


def check_is_herself(user: User, subject: Subject) -> None:
    """What only her own sign-in does: to ask, and what is about her own pages."""
    _require(_is_herself(user, subject))


def check_can_speak(user: User, subject: Subject) -> None:
    _require(can_speak(user, subject))


def can_say_no(user: User, subject: Subject) -> bool:
    """Whether the user may record her no: she herself, or any advocate of the holder she has not
    blocked."""
    return _is_herself(user, subject) or can_hear(user, subject)


def can_hear(user: User, subject: Subject) -> bool:
    """Whether the user may write down what others say against sharing: any advocate of the holder
    she has not blocked."""
    return governance.can_advise(user, subject.holder) and not is_blocked(user, subject)


def check_can_hear(user: User, subject: Subject) -> None:
    _require(can_hear(user, subject))


def check_can_say_no(user: User, subject: Subject) -> None:
    _require(can_say_no(user, subject))


def _is_herself(user: User, subject: Subject) -> bool:
    if user.kind != UserKind.SURVIVOR or not user.is_active:
        return False
    return Subject.objects.filter(pk=subject.pk, account=user).exists()


def _require(allowed: bool) -> None:
    if not allowed:
        raise NotPermitted("not_yours", _("You cannot speak for this person."))


def check_herself(user: User, subject: Subject) -> None:
    """What nobody does for her: to let more go before its wait is over."""
    check_can_speak(user, subject)
    if user.kind != UserKind.SURVIVOR:
        raise NotPermitted("only_herself", _("Only she herself can start it sooner."))


def can_give_helpers(user: User, assignment: Assignment) -> bool:
    """Whether the user may give this person another helper: an administrator of the holder, or the
    advocate who helps her."""
    holder = assignment.subject.holder
    if governance.can_administer(user, holder):
        return True
    own = helping().filter(pk=assignment.pk, membership__user=user).exists()
    return own and governance.can_advise(user, holder)


def check_can_give_helpers(user: User, assignment: Assignment) -> None:
    _require(can_give_helpers(user, assignment))


def can_shred(user: User, holder: Organisation) -> bool:
    """Whether the user may have a hand in shredding: the holder's advocates and administrators."""
    return governance.can_advise(user, holder) or governance.can_administer(user, holder)


def check_can_shred(user: User, holder: Organisation) -> None:
    if not can_shred(user, holder):
        raise NotPermitted(
            "may_not_shred", _("You may not wipe what leads to this organisation's clients.")
        )


def check_can_hold(user: User, holder: Organisation) -> None:
    """Place and lift legal holds: the holder's administrators."""
    governance.check_can_administer(user, holder)


def check_can_advise(user: User, holder: Organisation) -> None:
    governance.check_can_advise(user, holder)
