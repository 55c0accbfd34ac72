"""Who may record what for whom: the person herself, or an advocate of the holder."""

from common.errors import NotPermitted
from common.words import sentence as _
from consent.models import Subject
from governance import permissions as governance
from governance.models import Organisation, User
from governance.vocabulary import UserKind


def can_speak(user: User, subject: Subject) -> bool:
    """Whether the user may record what this person says: she herself, or the holder's advocate."""
    if user.kind == UserKind.SURVIVOR:
        return user.is_active and Subject.objects.filter(pk=subject.pk, account=user).exists()
    return governance.can_advise(user, subject.holder)


def check_can_speak(user: User, subject: Subject) -> None:
    if not can_speak(user, subject):
        raise NotPermitted("not_yours", _("You cannot speak for this person."))


def check_herself(user: User, subject: Subject) -> None:
    """What nobody does for her: to let more go before its wait is over."""
    check_can_speak(user, subject)
    if user.kind != UserKind.SURVIVOR:
        raise NotPermitted("only_herself", _("Only she herself can start it sooner."))


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
