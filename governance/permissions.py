"""Who may. The only module that asks guardian, and it asks for what was granted, nothing else:
being a superuser opens nothing here.

A membership grants one thing in one organisation (`GRANTS`), a seat grants one thing on one board;
both are taken back in the deed that ends them. No role contains another. On top of that:

* An organisation looks after itself: its administrators make accounts for staff and machines,
  grant and end roles in it, sign, register keys and issue tokens.
* The community convenes: whoever administers an organisation of the kind `community` creates and
  verifies organisations, calls boards together, loads the catalogue and looks after purposes, and
  appoints the administrator of an organisation that has none. It is granted nothing inside others.
* Who may invite and grant is a table of the rules. Whoever leaves is let go by the administrators of
  wherever they hold something, or by the community.
* Stopping is easier than starting. Either party stops an agreement, the holder or the requester
  stops a request, the holder or anyone on the board pauses a dataset, anyone on any board pauses a
  purpose; what a board may pause, only a board or the community lets run again.
"""

from collections.abc import Mapping

from django.db.models import Q
from guardian.shortcuts import assign_perm, get_user_perms, remove_perm

from common.errors import NotPermitted
from common.planned import AS_NEEDED, BIGINT, Planned, Reading
from common.words import sentence as _
from governance.models import (
    AccessRequest,
    Agreement,
    ApiToken,
    Board,
    Dataset,
    Organisation,
    OrganisationUserPermission,
    User,
)
from governance.rules import INVITERS, Inviter
from governance.vocabulary import OrganisationKind, RequestState, Role, UserKind

STEWARD = "steward_organisation"
ASK = "ask_organisation"
AUDIT = "audit_organisation"
ADVISE = "help_organisation"
ADMINISTER = "administer_organisation"
SIT = "sit_board"

# Entries tell who did what everywhere: an organisation cannot make itself a reader of all others.
READERS = frozenset({OrganisationKind.COMMUNITY, OrganisationKind.FUNDER})
GRANTS: Mapping[Role, str] = {
    Role.STEWARD: STEWARD,
    Role.REQUESTER: ASK,
    Role.AUDITOR: AUDIT,
    Role.ADVOCATE: ADVISE,
    Role.ADMINISTRATOR: ADMINISTER,
}
"""What each role grants in its organisation. A board member's say comes with the seat alone."""


GRANTED_NOW = Planned(
    "SELECT 1 FROM governance_organisationuserpermission p"
    " JOIN auth_permission n ON n.id = p.permission_id JOIN governance_user u ON u.id = p.user_id"
    " WHERE p.user_id = %(user)s AND p.content_object_id = %(organisation)s"
    " AND n.codename = %(codename)s AND u.is_active AND u.shut_at IS NULL"
    " AND u.kind <> 'survivor'",
    {"postgresql": {}, "sqlite": {}},
    {"user": BIGINT, "organisation": BIGINT, "codename": AS_NEEDED},
)


def can_steward(user: User, organisation: Organisation) -> bool:
    return _granted(user, STEWARD, organisation)


def check_can_steward(user: User, organisation: Organisation) -> None:
    """Look after this organisation's datasets."""
    _require_steward(can_steward(user, organisation))


def can_steward_now(user: User, organisation: Organisation) -> bool:
    """The same where the account may have ended since `user` was read, in one statement."""
    return _stewards_now(user, organisation).now()


def asking_steward_now(user: User, organisation: Organisation) -> Reading[None]:
    """The same, to be asked beside other things; the answer raises NotPermitted where it is no."""
    return _stewards_now(user, organisation).then(_require_steward)


def _stewards_now(user: User, organisation: Organisation) -> Reading[bool]:
    return Reading(
        GRANTED_NOW, [user.pk, organisation.pk, STEWARD], lambda _vendor, rows: bool(rows)
    )


def _require_steward(allowed: bool) -> None:
    _require(allowed, "steward", _("You may not look after this organisation's datasets."))


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


def can_read_log(user: User, organisation: Organisation) -> bool:
    return organisation.kind in READERS and can_audit(user, organisation)


def check_can_read_log(user: User, organisation: Organisation) -> None:
    """Read every entry of the log: auditors of those who convene or pay, and of nobody who holds
    data or asks for it."""
    _require(
        can_read_log(user, organisation),
        "read_log",
        _("You may not read the log: it is for auditors of the community or of a funder."),
    )


def can_oversee(user: User) -> bool:
    return any(_somewhere(user, AUDIT, kind=kind) for kind in sorted(READERS))


def check_can_oversee(user: User) -> None:
    """Compare the whole log with what is kept, and take entries out of it: whoever may read every
    entry of it, for whichever organisation."""
    _require(
        can_oversee(user),
        "oversee",
        _("You may not do this: it is for auditors of the community or of a funder."),
    )


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


def check_can_keep_keys(user: User, organisation: Organisation | None) -> None:
    """Have keys of this organisation (without one: of the service) rotated."""
    own = organisation is not None and can_administer(user, organisation)
    _require(
        own or can_convene(user),
        "keep_keys",
        _("You may not do this: it is for those who administer the organisation."),
    )


def can_make_account(user: User, kind: UserKind) -> bool:
    if _somewhere(user, ADMINISTER):
        return True
    return kind == UserKind.SURVIVOR and _somewhere(user, ADVISE)


def check_can_make_account(user: User, kind: UserKind) -> None:
    """Make an account: administrators any, advocates those of survivors."""
    _require(can_make_account(user, kind), "make_account", _("You may not make such an account."))


def can_grant(user: User, organisation: Organisation, role: Role) -> bool:
    inviters = INVITERS[Role(role)]
    if Inviter.OWN in inviters and can_administer(user, organisation):
        return True
    return Inviter.CONVENER in inviters and can_convene(user) and not _administered(organisation)


def check_can_grant(user: User, organisation: Organisation, role: Role) -> None:
    """Grant a role here; the community appoints where there is no administrator."""
    _require(can_grant(user, organisation, role), "grant", _("You may not grant this role here."))


def can_withdraw(user: User, organisation: Organisation) -> bool:
    return can_administer(user, organisation) or can_convene(user)


def check_can_withdraw(user: User, organisation: Organisation) -> None:
    """Take back an invitation to this organisation: its administrators, and the community."""
    _require(can_withdraw(user, organisation), "withdraw", "take this invitation back")


def can_off_board(user: User, person: User, organisation: Organisation | None) -> bool:
    if user.pk == person.pk or person.kind == UserKind.SURVIVOR:
        return False
    if can_convene(user):
        return True
    if organisation is not None:
        return can_administer(user, organisation) and _holds_something(person, organisation)
    held = person.memberships.filter(ended_at__isnull=True).select_related("organisation")
    seats = person.seats.filter(ended_at__isnull=True).select_related("organisation")
    places = [each.organisation for each in held] + [each.organisation for each in seats]
    # A seat that speaks for nobody is the community's to end.
    return bool(places) and all(place and can_administer(user, place) for place in places)


def _holds_something(person: User, organisation: Organisation) -> bool:
    """A role, a seat, or what machines come in with, at this organisation."""
    here = {"organisation": organisation, "ended_at__isnull": True}
    theirs = Q(user=person) | Q(issued_by=person)
    tokens = ApiToken.objects.filter(theirs, organisation=organisation, revoked_at__isnull=True)
    held = (person.memberships, person.seats, person.machine_clients)
    return tokens.exists() or any(each.filter(**here).exists() for each in held)


def check_can_off_board(user: User, person: User, organisation: Organisation | None) -> None:
    """End what somebody holds: the administrators of wherever they hold it, and the community."""
    _require(can_off_board(user, person, organisation), "off_board", "end this person's account")


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
    of_holder = user.memberships.filter(organisation=dataset.holder, ended_at__isnull=True)
    return can_decide(user, dataset.board) and not of_holder.exists()


def check_can_resume_dataset(user: User, dataset: Dataset) -> None:
    """Let a paused dataset run again: its board, or the community; nobody of its holder."""
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


def held_in(user: User) -> frozenset[tuple[int, str]]:
    """All that this user was granted in organisations: by the organisation's key, and the word."""
    if not _active(user):
        return frozenset()
    held = OrganisationUserPermission.objects.filter(user=user)
    return frozenset(held.values_list("content_object_id", "permission__codename"))


def boards_held(user: User) -> frozenset[int]:
    """The boards, by their keys, that this user has a say on."""
    if not _active(user):
        return frozenset()
    held = user.boarduserpermission_set.filter(permission__codename=SIT)
    return frozenset(held.values_list("content_object_id", flat=True))


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
