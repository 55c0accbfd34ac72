"""Roles are granted and ended, and with them what guardian keeps."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from common.inputs import taking
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import Membership, Organisation, User
from governance.rules import closing, combination_fault, role_fault
from governance.vocabulary import Narrowing, Role, UserKind


@taking()
@transaction.atomic
def grant(
    *, user: User, organisation: Organisation, role: Role, by: User, at: datetime, via: Via
) -> Membership:
    """One staff or machine user has one role in one organisation from now on."""
    # The lock lets no two be appointed at once as the first administrator.
    body = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    hold(by, user)
    permissions.check_can_grant(by, body, role)
    check_can_hold(user, body, [role])
    return begin(user=user, organisation=body, role=role, by=by, at=at, via=via)


def hold(*users: User) -> None:
    """Inside the caller's transaction none of these is let go; in one order, whoever comes first."""
    keys = {user.pk for user in users}
    list(User.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def check_can_hold(user: User, organisation: Organisation, roles: Collection[Role]) -> User:
    """Whether a user may have these roles here besides what they hold; RuleBroken tells why not.

    Their row is locked: whoever is let go at this moment holds nothing afterwards.
    """
    for role in roles:
        fault = role_fault(user.kind, role)
        if fault:
            raise RuleBroken("role_not_for_kind", fault)
    found = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if found.ended_at is not None:
        raise RuleBroken("account_ended", _("This account has ended. Invite the person anew."))
    held = Membership.objects.filter(user=found, ended_at__isnull=True)
    if held.filter(organisation=organisation, role__in=roles).exists():
        raise RuleBroken("role_held", _("This user has that role here already."))
    if found.kind == UserKind.STAFF:  # what does not go together is about people's interests
        pairs = list(held.values_list("organisation", "role"))
        fault = combination_fault(pairs, organisation.pk, roles)
        if fault:
            raise RuleBroken("roles_clash", fault)
    return found


def begin(
    *, user: User, organisation: Organisation, role: Role, by: User, at: datetime, via: Via
) -> Membership:
    """The membership itself and its entry, for deeds that have asked whether it may be."""
    membership = Membership.objects.create(
        user=user, organisation=organisation, role=Role(role), started_at=at
    )
    permissions.grant(user, organisation, role)
    trail.record(
        type=EntryType.MEMBERSHIP_GRANTED,
        by=by,
        at=at,
        via=via,
        resource=f"{organisation.ref}/{user.ref}",
        reason=membership.role,
    )
    return membership


def end(*, membership: Membership, by: User, at: datetime, via: Via) -> Membership:
    """A role ends: by the organisation's administrator, or by the one who holds it."""
    with scopes.narrowing(
        act=Narrowing.MEMBERSHIP_ENDED, recipients=[membership.organisation_id]
    ) as moment:
        found = (
            Membership.objects.select_for_update(of=("self",))
            .select_related("organisation", "user")
            .get(pk=membership.pk)
        )
        if found.user_id != by.pk and not permissions.can_administer(by, found.organisation):
            raise NotPermitted("may_not_end_role", _("You may not end this role."))
        if found.ended_at is not None:
            raise RuleBroken("role_ended", _("This role has ended already."))
        finish(membership=found, by=by, at=moment.at, via=via, moment=moment)
    return found


def finish(
    *, membership: Membership, by: User, at: datetime, via: Via, moment: scopes.Moment
) -> None:
    """A role is over, inside the caller's transaction; for the deeds that end one."""
    body, epochs = membership.organisation, moment.of(membership.organisation_id)
    membership.ended_at = closing(membership.started_at, at)
    membership.save(update_fields=["ended_at"])
    permissions.take_back(membership.user, body, Role(membership.role))
    moment.tell(
        what="membership",
        user=membership.user.ref,
        organisation=body.ref,
        role=str(membership.role),
        started_at=membership.started_at.isoformat(),
    )
    trail.record(
        type=EntryType.MEMBERSHIP_ENDED,
        by=by,
        at=at,
        via=via,
        resource=f"{body.ref}/{membership.user.ref}",
        reason=membership.role,
        epoch_everyone=epochs.everyone,
        epoch_scope=epochs.scope,
    )
