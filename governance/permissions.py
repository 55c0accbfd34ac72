"""Who may. The only module that asks guardian, and it asks for what was granted, nothing else:
being a superuser opens nothing here.

A membership grants one thing in one organisation (`GRANTS`), a seat grants one thing on one board;
both are taken back in the deed that ends them. No role contains another. On top of that:

* An organisation looks after itself: its administrators make accounts for staff and machines,
  grant and end roles in it, sign, register keys and issue tokens.
* The community convenes: whoever administers an organisation of the kind `community` creates and
  verifies organisations, calls boards together, loads the catalogue and looks after purposes, and
  appoints the administrator of an organisation that has none. It is granted nothing inside others.
* Stopping is easier than starting. Either party stops an agreement, the holder or the requester
  stops a request, the holder or anyone on the board pauses a dataset, anyone on any board pauses a
  purpose; what a board may pause, only a board or the community lets run again.
"""

from collections.abc import Mapping

from guardian.shortcuts import assign_perm, get_user_perms, remove_perm

from common.errors import NotPermitted
from common.words import sentence as _
from governance.models import (
    AccessRequest,
    Agreement,
    Board,
    Dataset,
    Organisation,
    OrganisationUserPermission,
    User,
)
from governance.vocabulary import OrganisationKind, RequestState, Role, UserKind

STEWARD = "steward_organisation"
ASK = "ask_organisation"
AUDIT = "audit_organisation"
ADVISE = "help_organisation"
ADMINISTER = "administer_organisation"
SIT = "sit_board"

GRANTS: Mapping[Role, str] = {
    Role.STEWARD: STEWARD,
    Role.REQUESTER: ASK,
    Role.AUDITOR: AUDIT,
    Role.ADVOCATE: ADVISE,
    Role.ADMINISTRATOR: ADMINISTER,
}
"""What each role grants in its organisation. A board member's say comes with the seat alone."""


def can_steward(user: User, organisation: Organisation) -> bool:
    return _granted(user, STEWARD, organisation)


def check_can_steward(user: User, organisation: Organisation) -> None:
    """Look after this organisation's datasets."""
    _require(
        can_steward(user, organisation),
        "steward",
        _("You may not look after this organisation's datasets."),
    )


def can_ask(user: User, organisation: Organisation) -> bool:
    return _granted(user, ASK, organisation)


def check_can_ask(user: User, organisation: Organisation) -> None:
    """Ask for data in this organisation's name."""
    _require(
        can_ask(user, organisation),
        "ask",
        _("You may not ask for data in this organisation's name."),
    )


def can_advise(user: User, organisation: Organisation) -> bool:
    return _granted(user, ADVISE, organisation)


def check_can_advise(user: User, organisation: Organisation) -> None:
    """Sit beside this organisation's clients."""
    _require(
        can_advise(user, organisation),
        "advise",
        _("You may not sit beside this organisation's clients."),
    )


def can_audit(user: User, organisation: Organisation) -> bool:
    return _granted(user, AUDIT, organisation)


def check_can_audit(user: User, organisation: Organisation) -> None:
    """Audit this organisation."""
    _require(can_audit(user, organisation), "audit", _("You may not audit this organisation."))


def can_administer(user: User, organisation: Organisation) -> bool:
    return _granted(user, ADMINISTER, organisation)


def check_can_administer(user: User, organisation: Organisation) -> None:
    """Sign and administer for this organisation."""
    _require(
        can_administer(user, organisation),
        "administer",
        _("You may not act for this organisation."),
    )


def can_sit(user: User, board: Board) -> bool:
    return _granted(user, SIT, board)


def check_can_sit(user: User, board: Board) -> None:
    """Have a say on this board."""
    _require(can_sit(user, board), "sit", _("You may not decide on this board."))


def can_convene(user: User) -> bool:
    return _somewhere(user, ADMINISTER, kind=OrganisationKind.COMMUNITY)


def check_can_convene(user: User) -> None:
    """Create organisations and boards, load the catalogue, look after purposes."""
    _require(
        can_convene(user),
        "convene",
        _("You may not do this: it is for the community that convenes."),
    )


def can_make_account(user: User, kind: UserKind) -> bool:
    if _somewhere(user, ADMINISTER):
        return True
    return kind == UserKind.SURVIVOR and _somewhere(user, ADVISE)


def check_can_make_account(user: User, kind: UserKind) -> None:
    """Make an account: administrators any, advocates those of survivors."""
    _require(can_make_account(user, kind), "make_account", _("You may not make such an account."))


def can_grant(user: User, organisation: Organisation, role: Role) -> bool:
    if can_administer(user, organisation):
        return True
    return role == Role.ADMINISTRATOR and can_convene(user) and not _administered(organisation)


def check_can_grant(user: User, organisation: Organisation, role: Role) -> None:
    """Grant a role here; the community appoints where there is no administrator."""
    _require(can_grant(user, organisation, role), "grant", _("You may not grant this role here."))


def can_negotiate(user: User, holder: Organisation, recipient: Organisation) -> bool:
    return can_administer(user, holder) or can_administer(user, recipient)


def check_can_negotiate(user: User, holder: Organisation, recipient: Organisation) -> None:
    """Draft or end an agreement: the administrators of either party."""
    _require(
        can_negotiate(user, holder, recipient), "negotiate", _("You may not act for either party.")
    )


def can_suspend(user: User, agreement: Agreement) -> bool:
    parties = (agreement.holder, agreement.recipient)
    return can_negotiate(user, *parties) or can_steward(user, agreement.holder)


def check_can_suspend(user: User, agreement: Agreement) -> None:
    """Suspend an agreement: the administrators of either party and the holder's stewards."""
    _require(can_suspend(user, agreement), "suspend", _("You may not suspend this agreement."))


def can_end_request(user: User, request: AccessRequest) -> bool:
    if can_ask(user, request.requester):
        return True
    holder = request.dataset.holder
    return request.state != RequestState.DRAFT and (
        can_steward(user, holder) or can_administer(user, holder)
    )


def check_can_end_request(user: User, request: AccessRequest) -> None:
    """End a request: its own requesters; once it is handed in, the holder too."""
    _require(can_end_request(user, request), "end_request", _("You may not end this request."))


def can_pause_dataset(user: User, dataset: Dataset) -> bool:
    holder = dataset.holder
    return can_steward(user, holder) or can_administer(user, holder) or can_sit(user, dataset.board)


def can_resume_dataset(user: User, dataset: Dataset) -> bool:
    return can_decide(user, dataset.board)


def check_can_resume_dataset(user: User, dataset: Dataset) -> None:
    """Let a paused dataset run again: its board, or the community."""
    _require(
        can_resume_dataset(user, dataset),
        "resume_dataset",
        _("You may not let this dataset run again."),
    )


def check_can_pause_dataset(user: User, dataset: Dataset) -> None:
    """Pause a dataset: its holder and anyone on its board."""
    _require(
        can_pause_dataset(user, dataset), "pause_dataset", _("You may not pause this dataset.")
    )


def can_pause_purpose(user: User) -> bool:
    return can_convene(user) or (_active(user) and _seated(user))


def check_can_pause_purpose(user: User) -> None:
    """Pause a purpose: the community and anyone on any board."""
    _require(can_pause_purpose(user), "pause_purpose", _("You may not pause a purpose."))


def can_decide(user: User, board: Board) -> bool:
    return can_sit(user, board) or can_convene(user)


def check_can_decide(user: User, board: Board) -> None:
    """Establish what the board has answered: anyone on it, or the community."""
    _require(can_decide(user, board), "decide", _("You may not establish this board's answer."))


def grant(user: User, organisation: Organisation, role: Role) -> None:
    """What the deed that begins a membership does here."""
    if role in GRANTS:
        assign_perm(GRANTS[role], user, organisation)


def take_back(user: User, organisation: Organisation, role: Role) -> None:
    """What the deed that ends a membership does here."""
    if role in GRANTS:
        remove_perm(GRANTS[role], user, organisation)


def seat(user: User, board: Board) -> None:
    """What the deed that fills a seat does here."""
    assign_perm(SIT, user, board)


def unseat(user: User, board: Board) -> None:
    """What the deed that ends a seat does here."""
    remove_perm(SIT, user, board)


def _granted(user: User, codename: str, thing: Organisation | Board) -> bool:
    if not _active(user):
        return False
    return bool(get_user_perms(user, thing).filter(codename=codename).exists())


def _somewhere(user: User, codename: str, kind: OrganisationKind | None = None) -> bool:
    if not _active(user):
        return False
    held = OrganisationUserPermission.objects.filter(user=user, permission__codename=codename)
    if kind is not None:
        held = held.filter(content_object__kind=kind)
    return held.exists()


def _administered(organisation: Organisation) -> bool:
    return OrganisationUserPermission.objects.filter(
        content_object=organisation, permission__codename=ADMINISTER, user__is_active=True
    ).exists()


def _seated(user: User) -> bool:
    return user.boarduserpermission_set.filter(permission__codename=SIT).exists()


def _active(user: User) -> bool:
    """A survivor's account may nothing here, whatever was granted."""
    return user.is_active and user.kind != UserKind.SURVIVOR


def _require(granted: bool, code: str, told: str) -> None:
    if not granted:
        raise NotPermitted(f"may_not_{code}", told)
