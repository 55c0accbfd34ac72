"""Applications of machines: registered, given a new secret, ended; and each time one comes in."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from oauth2_provider.models import AbstractApplication, Application

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from governance import permissions
from governance.actions import trail
from governance.models import ClientScope, ClientSecret, MachineClient, Organisation, User
from governance.queries import people
from governance.rules import MACHINE_ROLES, closing
from governance.vocabulary import MachineScope, UserKind

SECRET_PREFIX = "sayso_client_"  # noqa: S105 - how a found secret is told for what it is
LONGEST_DAYS = 365
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=14)


@transaction.atomic
def register(
    *,
    user: User,
    organisation: Organisation,
    label: str,
    scopes: Collection[MachineScope],
    by: User,
    at: datetime,
    via: Via,
    days: int = 180,
) -> tuple[MachineClient, str]:
    """An application for a machine of this organisation, and its first secret, told only now.

    Raises NotPermitted unless `by` administers the organisation; RuleBroken where `user` is no
    machine with a role there; BadInput for a label, scopes or days that cannot be.
    """
    permissions.check_can_administer(by, organisation)
    if not 1 <= len(label.strip()) <= 80 or not label.isprintable():
        raise BadInput("client_label", "Give the application a label of 1 to 80 characters.")
    if not scopes:
        raise BadInput("client_scopes", "Name at least one scope.")
    held = people.memberships(user, at).filter(organisation=organisation, role__in=MACHINE_ROLES)
    if user.kind != UserKind.MACHINE or not held.exists():
        raise RuleBroken("client_for_machine", "Applications are for machines of this body.")
    application = Application.objects.create(
        user=user,
        name=label.strip(),
        client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
        authorization_grant_type=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
        client_secret="!",  # noqa: S106 - opens nothing: secrets lie in a table of their own, two at a time
        hash_client_secret=False,
    )
    client = MachineClient.objects.create(
        application=application,
        user=user,
        organisation=organisation,
        label=label.strip(),
        created_at=at,
    )
    ClientScope.objects.bulk_create(
        ClientScope(client=client, scope=scope) for scope in sorted(set(scopes))
    )
    secret = _secret(client, at, days)
    _record(EntryType.TOKEN_ISSUED, client, "client", by=by, at=at, via=via)
    return client, secret


@transaction.atomic
def rotate(
    *,
    client: MachineClient,
    by: User,
    at: datetime,
    via: Via,
    days: int = 180,
    overlap: timedelta = OVERLAP,
) -> str:
    """A new secret, told only now; the ones before it still open until `overlap` has passed."""
    found = _locked(client)
    permissions.check_can_administer(by, found.organisation)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise BadInput("client_overlap", "Two secrets overlap for at most fourteen days.")
    still = found.secrets.filter(expires_at__gt=at).order_by("-created_at", "-pk")
    for place, old in enumerate(still):
        # The one that is replaced overlaps with the new one; what it had replaced goes now.
        last = at + overlap if place == 0 else at
        old.expires_at = min(old.expires_at, closing(old.created_at, last))
        old.save(update_fields=["expires_at"])
    secret = _secret(found, at, days)
    _record(EntryType.TOKEN_ISSUED, found, "secret", by=by, at=at, via=via)
    return secret


@transaction.atomic
def end(*, client: MachineClient, by: User, at: datetime, via: Via) -> MachineClient:
    """From now on nothing of this application opens the door: no secret, no token it ever got."""
    found = _locked(client)
    permissions.check_can_administer(by, found.organisation)
    found.ended_at = closing(found.created_at, at)
    found.save(update_fields=["ended_at"])
    _record(EntryType.TOKEN_REVOKED, found, "client", by=by, at=at, via=via)
    return found


def let_in(*, secret: ClientSecret, by: User, at: datetime, via: Via) -> None:
    """A machine showed its secret and got a token, inside the caller's transaction."""
    ClientSecret.objects.filter(pk=secret.pk).update(last_used_at=at)
    _record(EntryType.TOKEN_ISSUED, secret.client, "access", by=by, at=at, via=via)


@transaction.atomic
def turned_away(*, client: MachineClient, by: User, at: datetime, via: Via) -> None:
    """Somebody named this application and did not know its secret."""
    _record(EntryType.SIGNIN_FAILED, client, "secret", by=by, at=at, via=via)


def _secret(client: MachineClient, at: datetime, days: int) -> str:
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput("client_days", f"A secret lasts 1 to {LONGEST_DAYS} days.")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    ClientSecret.objects.create(
        client=client,
        digest=sha256(secret.encode("ascii")).hexdigest(),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    return secret


def _locked(client: MachineClient) -> MachineClient:
    found = (
        MachineClient.objects.select_for_update(of=("self",))
        .select_related("organisation", "user", "application")
        .get(pk=client.pk)
    )
    if found.ended_at is not None:
        raise RuleBroken("client_ended", "This application has ended already.")
    return found


def _record(
    type: EntryType, client: MachineClient, reason: str, *, by: User, at: datetime, via: Via
) -> None:
    resource = f"{client.organisation.ref}/{client.user.ref}/client-{client.pk}"
    trail.record(type=type, by=by, at=at, via=via, resource=resource, reason=reason)
