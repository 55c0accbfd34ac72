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


def check_can_advise(user: User, holder: Organisation) -> None:
    governance.check_can_advise(user, holder)
