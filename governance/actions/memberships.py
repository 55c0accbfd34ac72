"""Roles are granted and ended, and with them what guardian keeps."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from common.inputs import taking
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import Membership, Organisation, User
from governance.rules import closing, role_fault
from governance.vocabulary import Narrowing, Role


@taking()
@transaction.atomic
def grant(
    *, user: User, organisation: Organisation, role: Role, by: User, at: datetime, via: Via
) -> Membership:
    """One staff or machine user has one role in one organisation from now on."""
    # The lock lets no two be appointed at once as the first administrator.
    body = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    permissions.check_can_grant(by, body, role)
    fault = role_fault(user.kind, role)
    if fault:
        raise RuleBroken("role_not_for_kind", fault)
    held = Membership.objects.filter(user=user, organisation=body, role=role)
    if held.filter(ended_at__isnull=True).exists():
        raise RuleBroken("role_held", _("This user has that role here already."))
    membership = Membership.objects.create(
        user=user, organisation=body, role=Role(role), started_at=at
    )
    permissions.grant(user, body, role)
    trail.record(
        type=EntryType.MEMBERSHIP_GRANTED,
        by=by,
        at=at,
        via=via,
        resource=f"{body.ref}/{user.ref}",
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
        found.ended_at = closing(found.started_at, moment.at)
        found.save(update_fields=["ended_at"])
        permissions.take_back(found.user, found.organisation, Role(found.role))
        trail.record(
            type=EntryType.MEMBERSHIP_ENDED,
            by=by,
            at=moment.at,
            via=via,
            resource=f"{found.organisation.ref}/{found.user.ref}",
            reason=found.role,
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(found.organisation_id),
        )
    return found
