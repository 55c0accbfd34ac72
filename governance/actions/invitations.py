"""Staff come in by invitation: one organisation, some roles, a code that works once."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common import codes
from common.errors import BadInput, RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import memberships, organisations, people, scopes, trail
from governance.models import Invitation, InvitedRole, Organisation, User
from governance.queries import arrivals
from governance.rules import INVITATION_LIFE, combination_fault
from governance.vocabulary import Closing, OrganisationKind, Role, UserKind

CODE = Text(most=codes.LONGEST, least=1, name=_("Code"))


@taking(organisation_name=of(Organisation, "name"))
@transaction.atomic
def begin(*, organisation_name: str, at: datetime, via: Via) -> tuple[Invitation, str]:
    """Sayso begins, or begins again where nobody administers: an invitation for its administrator.

    The community that convenes is made where there is none yet. Of several beginnings only the
    latest code opens. Raises RuleBroken as soon as there is an administrator.
    """
    people.hold_beginning()
    community = (
        Organisation.objects.filter(kind=OrganisationKind.COMMUNITY).order_by("created_at").first()
    )
    if community is None:
        community = organisations.insert(
            name=organisation_name, kind=OrganisationKind.COMMUNITY, at=at
        )
        community.verified_at = at
        community.save(update_fields=["verified_at"])
        trail.record(
            type=EntryType.ORGANISATION_CREATED,
            by=None,
            at=at,
            via=via,
            resource=community.ref,
            reason="first",
        )
    for earlier in arrivals.open_invitations(at).filter(invited_by__isnull=True):
        close(invitation=earlier, by=None, at=at, via=via)
    return _made(community, [Role.ADMINISTRATOR], None, at, via)


@taking()
@transaction.atomic
def invite(
    *, organisation: Organisation, roles: Collection[Role], by: User, at: datetime, via: Via
) -> tuple[Invitation, str]:
    """One person may come in here with these roles; the code is told now and never again."""
    body = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    wanted = sorted({Role(role) for role in roles})
    if not wanted:
        raise BadInput("roles", _("Choose at least one role."), where="roles")
    for role in wanted:
        permissions.check_can_grant(by, body, role)
    fault = combination_fault([], body.pk, wanted)
    if fault:
        raise RuleBroken("roles_clash", fault)
    return _made(body, wanted, by, at, via)


@taking()
def withdraw(*, invitation: Invitation, by: User, at: datetime, via: Via) -> Invitation:
    """Nobody comes in with this code any more."""
    with scopes.closing(act=Closing.INVITATION_WITHDRAWN) as moment:
        found = Invitation.objects.select_for_update().get(pk=invitation.pk)
        permissions.check_can_withdraw(by, found.organisation)
        if found.accepted_at is not None or found.withdrawn_at is not None:
            raise RuleBroken(
                "invitation_closed", _("This invitation was used or taken back already.")
            )
        close(invitation=found, by=by, at=at, via=via, moment=moment)
    return found


def close(
    *,
    invitation: Invitation,
    by: User | None,
    at: datetime,
    via: Via,
    moment: scopes.Moment | None = None,
) -> None:
    """An open invitation is over, inside the caller's transaction; for the deeds that close one."""
    invitation.withdrawn_at = at
    invitation.save(update_fields=["withdrawn_at"])
    if moment is not None:
        moment.tell(what="invitation", organisation=invitation.organisation.ref, ref=invitation.ref)
    trail.record(
        type=EntryType.INVITATION_WITHDRAWN,
        by=by,
        at=at,
        via=via,
        resource=f"{invitation.organisation.ref}/{invitation.ref}",
    )


@taking(
    code=CODE,
    username=of(User, "username"),
    password=people.PASSWORD,
    language=of(User, "language"),
)
@transaction.atomic
def accept(
    *, code: str, username: str, password: str, at: datetime, via: Via, language: str = "en"
) -> User:
    """Whoever has the code makes an account of their own and has the roles from now on.

    Raises RuleBroken where the code opens nothing (any more), BadInput for a name or password that
    cannot be. The door sets up the second factor in the same transaction.
    """
    found, roles = _opened(code, at)
    user = people.insert(
        username=username, kind=UserKind.STAFF, password=password, language=language
    )
    trail.record(
        type=EntryType.USER_CREATED, by=user, at=at, via=via, resource=user.ref, reason="invited"
    )
    _taken(found, roles, by=user, at=at, via=via)
    return user


@taking(code=CODE)
@transaction.atomic
def join(*, code: str, by: User, at: datetime, via: Via) -> Invitation:
    """Somebody who signs in already takes the roles with the account they have."""
    found, roles = _opened(code, at)
    memberships.check_can_hold(by, found.organisation, roles)
    return _taken(found, roles, by=by, at=at, via=via)


def _made(
    body: Organisation, roles: Collection[Role], by: User | None, at: datetime, via: Via
) -> tuple[Invitation, str]:
    code = codes.fresh()
    invitation = Invitation.objects.create(
        organisation=body,
        invited_by=by,
        digest=codes.digest(code, arrivals.INVITED),
        created_at=at,
        expires_at=at + INVITATION_LIFE,
    )
    InvitedRole.objects.bulk_create(InvitedRole(invitation=invitation, role=role) for role in roles)
    trail.record(
        type=EntryType.INVITATION_MADE,
        by=by,
        at=at,
        via=via,
        resource=f"{body.ref}/{invitation.ref}",
        reason=",".join(roles),
    )
    return invitation, code


def _opened(code: str, at: datetime) -> tuple[Invitation, list[Role]]:
    """The invitation under lock, where it is open and whoever invited still may."""
    known = arrivals.invitation(code, at)
    if known is None:
        raise _over()
    if known.invited_by is None:
        people.hold_beginning()
    body = Organisation.objects.select_for_update(no_key=True).get(pk=known.organisation_id)
    Invitation.objects.select_for_update().get(pk=known.pk)
    found = arrivals.invitation(code, at)  # again, under the locks: a code works once
    if found is None:
        raise _over()
    roles = [Role(each.role) for each in found.roles.order_by("role")]
    inviter = found.invited_by
    if inviter is not None and not all(
        permissions.can_grant(inviter, body, role) for role in roles
    ):
        raise _over()
    return found, roles


def _taken(
    invitation: Invitation, roles: Collection[Role], *, by: User, at: datetime, via: Via
) -> Invitation:
    invitation.accepted_at, invitation.accepted_by = at, by
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    trail.record(
        type=EntryType.INVITATION_ACCEPTED,
        by=by,
        at=at,
        via=via,
        resource=f"{invitation.organisation.ref}/{invitation.ref}",
    )
    for role in roles:
        memberships.begin(
            user=by, organisation=invitation.organisation, role=role, by=by, at=at, via=via
        )
    return invitation


def _over() -> RuleBroken:
    return RuleBroken("invitation_over", _("This code does not open anything, or not any more."))
