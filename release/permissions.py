"""Who may ask for a release, fetch it, and see it: members of the recipient who may ask."""

from common.errors import NotPermitted
from common.planned import Reading
from common.words import sentence as _
from governance import permissions as governance
from governance.models import Organisation, User
from release.models import Release


def check_can_ask(user: User, requester: Organisation) -> None:
    governance.check_can_ask(user, requester)


def may_fetch(user: User, release: Release) -> bool:
    """Whether the user may ask in the recipient's name at this very instant."""
    # Not as it was at sign-in.
    now = User.objects.filter(pk=user.pk, is_active=True, shut_at__isnull=True).first()
    return now is not None and governance.can_ask(now, release.recipient)


def check_can_fetch(user: User, release: Release) -> None:
    """Raises NotPermitted unless the user may ask in the recipient's name today."""
    if not may_fetch(user, release):
        raise NotPermitted("not_recipient", _("Only the recipient's own people may fetch this."))


def asking_may_inquire(user: User, holder: Organisation) -> Reading[None]:
    """Ask about one of the holder's clients: its stewards, people or machines, as of now.

    To be asked beside other things; the answer raises NotPermitted where it is no.
    """
    return governance.asking_steward_now(user, holder)


def check_can_load(user: User, holder: Organisation) -> None:
    governance.check_can_steward(user, holder)
