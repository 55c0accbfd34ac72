"""Readings of who stands at the machines' door: asked anew at every request, nothing is kept."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db.models import QuerySet
from oauth2_provider.models import AccessToken

from governance.models import ClientSecret, MachineClient, Membership, Organisation, User
from governance.queries import people
from governance.rules import scopes_open
from governance.vocabulary import MachineScope, UserKind


@dataclass(frozen=True)
class Access:
    """Who came in, for which organisation, and what for. `key` names the machine, not the token."""

    user: User
    organisation: Organisation
    scopes: frozenset[MachineScope]

    @property
    def key(self) -> str:
        return f"{self.user.pk}.{self.organisation.pk}"


def clients(organisation: Organisation) -> QuerySet[MachineClient]:
    """Every application ever registered for this organisation, the latest first."""
    found = MachineClient.objects.filter(organisation=organisation)
    return found.select_related("application", "user").order_by("-created_at", "-pk")


def client(client_id: str) -> MachineClient | None:
    """The application with this public id, whether or not it still opens anything."""
    found = MachineClient.objects.select_related("application", "user", "organisation")
    return found.filter(application__client_id=client_id).first()


def secret(client: MachineClient, given: str, at: datetime) -> ClientSecret | None:
    """The secret of this application that was given, if it opens the door at this instant."""
    if client.ended_at is not None or not _may_come(client.user):
        return None
    digest = _digest(given)
    found = client.secrets.filter(digest=digest, created_at__lte=at, expires_at__gt=at).first()
    if found is not None:
        found.client = client
    return found


def scopes_of(client: MachineClient, at: datetime) -> frozenset[MachineScope]:
    """What this application may be used for at this instant: granted, and opened by a role."""
    granted = client.scopes.values_list("scope", flat=True)
    return scopes_open(set(granted), _roles(client.user, client.organisation, at))


def access(token: str, at: datetime) -> Access | None:
    """Who comes with this bearer token, if it opens the door at this instant.

    A token of an application opens only while the application has not ended, its machine is active
    and has a role in the organisation that opens one of the token's scopes.
    """
    found = (
        AccessToken.objects.select_related(
            "application__machine_client__user", "application__machine_client__organisation"
        )
        .filter(
            token_checksum=_digest(token),
            expires__gt=at,
            application__machine_client__ended_at__isnull=True,
            application__machine_client__user__is_active=True,
        )
        .first()
    )
    if found is None:
        return _bearer(token, at)
    machine = found.application.machine_client
    if machine.user.kind != UserKind.MACHINE:
        return None
    roles = _roles(machine.user, machine.organisation, at)
    scopes = scopes_open(found.scope.split(), roles)
    return Access(machine.user, machine.organisation, scopes) if scopes else None


def _bearer(token: str, at: datetime) -> Access | None:
    found = people.token(token, at)
    if found is None or found.user.kind != UserKind.MACHINE:
        return None
    return Access(found.user, found.organisation, frozenset(MachineScope))


def _roles(user: User, organisation: Organisation, at: datetime) -> set[str]:
    held = Membership.objects.filter(people.during(at), user=user, organisation=organisation)
    return set(held.values_list("role", flat=True))


def _may_come(user: User) -> bool:
    return user.is_active and user.kind == UserKind.MACHINE


def _digest(given: str) -> str:
    return sha256(given.encode("utf-8", "surrogatepass")).hexdigest()
