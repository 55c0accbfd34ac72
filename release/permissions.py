"""Who may ask for a release, fetch it, and see it: members of the recipient who may ask."""

from common.errors import NotPermitted
from governance import permissions as governance
from governance.models import Organisation, User
from release.models import Release


def check_can_ask(user: User, requester: Organisation) -> None:
    governance.check_can_ask(user, requester)


def check_can_fetch(user: User, release: Release) -> None:
    """Raises NotPermitted unless the user may ask in the recipient's name today."""
    if not governance.can_ask(user, release.recipient):
        raise NotPermitted("not_recipient", "Only the recipient's own people may fetch this.")


def check_can_load(user: User, holder: Organisation) -> None:
    governance.check_can_steward(user, holder)
