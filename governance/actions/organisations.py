"""Organisations come in, and are verified by the community."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import trail
from governance.models import Organisation, User
from governance.vocabulary import OrganisationKind


@taking(name=of(Organisation, "name"))
@transaction.atomic
def create(*, name: str, kind: OrganisationKind, by: User, at: datetime, via: Via) -> Organisation:
    """An organisation comes in, unverified and without anybody in it."""
    permissions.check_can_convene(by)
    organisation = insert(name=name, kind=kind, at=at)
    trail.record(
        type=EntryType.ORGANISATION_CREATED, by=by, at=at, via=via, resource=organisation.ref
    )
    return organisation


@transaction.atomic
def verify(*, organisation: Organisation, by: User, at: datetime, via: Via) -> Organisation:
    """The community has made sure that this organisation is who it says it is."""
    permissions.check_can_convene(by)
    found = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if found.verified_at is not None:
        raise RuleBroken("already_verified", _("This organisation is verified already."))
    found.verified_at = at
    found.save(update_fields=["verified_at"])
    trail.record(
        type=EntryType.ORGANISATION_CHANGED,
        by=by,
        at=at,
        via=via,
        resource=found.ref,
        reason="verified",
    )
    return found


def insert(*, name: str, kind: OrganisationKind, at: datetime) -> Organisation:
    """The row of a new organisation; for the deeds that create one."""
    tidy = name.strip()
    if Organisation.objects.filter(name__iexact=tidy).exists():
        raise RuleBroken("organisation_name_taken", _("There is an organisation of that name."))
    return Organisation.objects.create(name=tidy, kind=OrganisationKind(kind), created_at=at)
