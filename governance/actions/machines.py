"""Applications of machines: registered, given a new secret, ended; and each time one comes in."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q
from oauth2_provider.models import AbstractApplication, AccessToken, Application

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Number, of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import memberships, scopes, trail
from governance.models import ClientScope, ClientSecret, MachineClient, Organisation, User
from governance.queries import people
from governance.rules import MACHINE_ROLES, closing
from governance.vocabulary import Closing, MachineScope, UserKind

SECRET_PREFIX = "sayso_client_"  # noqa: S105 - how a found secret is told for what it is
LONGEST_DAYS = 365
DAYS = Number(1, LONGEST_DAYS)
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=14)


@taking(label=of(MachineClient, "label"), days=DAYS)
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
    memberships.hold(by)  # whoever is let go at this moment is told no secret afterwards
    permissions.check_can_administer(by, organisation)
    if not scopes:
        raise BadInput("client_scopes", _("Name at least one scope."))
    held = people.memberships(user, at).filter(organisation=organisation, role__in=MACHINE_ROLES)
    if user.kind != UserKind.MACHINE or not held.exists():
        raise RuleBroken("client_for_machine", _("Applications are for machines of this body."))
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
    for scope in sorted(set(scopes)):
        ClientScope.objects.create(client=client, scope=scope)
    secret = _secret(client, by, at, days)
    _record(EntryType.TOKEN_ISSUED, client, "client", by=by, at=at, via=via)
    return client, secret


@taking(days=DAYS)
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
    with scopes.closing(act=Closing.TOKEN_REVOKED) as moment:
        memberships.hold(by)
        found = _locked(client)
        permissions.check_can_administer(by, found.organisation)
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise BadInput("client_overlap", _("Two secrets overlap for at most fourteen days."))
        still = found.secrets.filter(expires_at__gt=at).order_by("-created_at", "-pk")
        for place, old in enumerate(still):
            # The one that is replaced overlaps with the new one; what it had replaced goes now.
            _shorten(old, at + overlap if place == 0 else at, moment)
        secret = _secret(found, by, at, days)
        _record(EntryType.TOKEN_ISSUED, found, "secret", by=by, at=at, via=via)
    return secret


def end(*, client: MachineClient, by: User, at: datetime, via: Via) -> MachineClient:
    """From now on nothing of this application opens the door: no secret, no token it ever got."""
    with scopes.closing(act=Closing.TOKEN_REVOKED) as moment:
        found = _locked(client)
        permissions.check_can_administer(by, found.organisation)
        _end(found, "client", by=by, at=at, via=via, moment=moment)
    return found


def end_held(
    *,
    person: User,
    organisation: Organisation | None,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment,
) -> int:
    """What somebody who is let go has here ends, inside that deed; how many applications it was.

    An application of the machine itself ends; of another's only the secrets end that the person was
    told, and with them every token it has: whoever knows another of its secrets comes in anew.
    """
    held = MachineClient.objects.filter(ended_at__isnull=True)
    if organisation is not None:
        held = held.filter(organisation=organisation)
    own = Q(user=person)
    told = Q(secrets__issued_by=person, secrets__expires_at__gt=at)
    touched = sorted(held.filter(own | told).values_list("pk", flat=True).distinct())
    locked = MachineClient.objects.select_for_update(of=("self",))
    whole = locked.select_related("organisation", "user", "application")
    for client in whole.filter(pk__in=touched).order_by("pk"):
        if client.user_id == person.pk:
            _end(client, "left", by=by, at=at, via=via, moment=moment)
            continue
        for secret in client.secrets.filter(issued_by=person, expires_at__gt=at):
            _shorten(secret, at, moment)
        AccessToken.objects.filter(application=client.application_id).delete()
        _record(EntryType.TOKEN_REVOKED, client, "left", by=by, at=at, via=via)
    return len(touched)


def let_in(*, secret: ClientSecret, by: User, at: datetime, via: Via) -> bool:
    """A machine showed its secret and gets a token, inside the caller's transaction.

    False where somebody was let go meanwhile and the secret ended: then there must be no token.
    """
    found = ClientSecret.objects.select_for_update(of=("self",)).get(pk=secret.pk)
    if found.expires_at <= at:
        return False
    found.last_used_at = at
    found.save(update_fields=["last_used_at"])
    _record(EntryType.TOKEN_ISSUED, secret.client, "access", by=by, at=at, via=via)
    return True


def _end(
    client: MachineClient,
    reason: str,
    *,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment,
) -> None:
    client.ended_at = closing(client.created_at, at)
    client.save(update_fields=["ended_at"])
    moment.tell(what="client", client=client.application.client_id)
    AccessToken.objects.filter(application=client.application_id).delete()
    _record(EntryType.TOKEN_REVOKED, client, reason, by=by, at=at, via=via)


def _shorten(secret: ClientSecret, last: datetime, moment: scopes.Moment) -> None:
    """The secret opens nothing after `last`, also where a restore has forgotten that."""
    secret.expires_at = min(secret.expires_at, closing(secret.created_at, last))
    secret.save(update_fields=["expires_at"])
    moment.tell(what="secret", digest=secret.digest, until=secret.expires_at.isoformat())


def _secret(client: MachineClient, by: User, at: datetime, days: int) -> str:
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    ClientSecret.objects.create(
        client=client,
        digest=sha256(secret.encode("ascii")).hexdigest(),
        issued_by=by,
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
        raise RuleBroken("client_ended", _("This application has ended already."))
    return found


def _record(
    type: EntryType, client: MachineClient, reason: str, *, by: User, at: datetime, via: Via
) -> None:
    resource = f"{client.organisation.ref}/{client.user.ref}/client-{client.pk}"
    trail.record(type=type, by=by, at=at, via=via, resource=resource, reason=reason)
