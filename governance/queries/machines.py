"""Readings of who stands at the machines' door: asked anew at every request, nothing is kept."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, QuerySet

from common.planned import AS_NEEDED, DECODERS, Planned, number
from governance.models import ClientSecret, MachineClient, Membership, Organisation, User
from governance.queries import people
from governance.rules import scopes_open
from governance.vocabulary import MachineScope, UserKind

M = TypeVar("M", bound=Model)
# Asked at every request: who comes with the token of an application, and what they may here.
COMES_IN = Planned(
    """
SELECT t.scope,
    (SELECT {list}(m.role, ',') FROM governance_membership m
        WHERE m.user_id = u.id AND m.organisation_id = o.id
        AND m.started_at <= %(at)s AND (m.ended_at IS NULL OR m.ended_at > %(at)s)),
    u.id, u.ref, u.username, o.id, o.ref, o.kind, o.name
FROM oauth2_provider_accesstoken t
    JOIN governance_machineclient c ON c.application_id = t.application_id
    JOIN governance_user u ON u.id = c.user_id
    JOIN governance_organisation o ON o.id = c.organisation_id
WHERE t.token_checksum = %(digest)s AND t.expires > %(at)s
    AND c.ended_at IS NULL AND u.is_active AND u.kind = 'machine'
""",
    {"postgresql": {"list": "string_agg"}, "sqlite": {"list": "group_concat"}},
    {"digest": AS_NEEDED, "at": AS_NEEDED},
)


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
    vendor, rows = COMES_IN.rows([_digest(token), at])
    if not rows:
        return _bearer(token, at)
    read, (scope, roles, *values) = DECODERS[vendor], rows[0]
    if roles is None:
        return None
    scopes = scopes_open(read.text(scope).split(), read.text(roles).split(","))
    user_pk, user_ref, username, pk, ref, kind, name = values
    # Of each row only what is named is known; anything else of it is read when it is asked for.
    user = _known(
        User,
        id=number(user_pk),
        ref=read.text(user_ref),
        kind=UserKind.MACHINE.value,
        username=read.text(username),
        is_active=True,
    )
    organisation = _known(
        Organisation,
        id=number(pk),
        ref=read.text(ref),
        kind=read.text(kind),
        name=read.text(name),
    )
    return Access(user, organisation, scopes) if scopes else None


def _known(model: type[M], **values: Any) -> M:
    """A row of which only this is known. Django takes values in the order of the columns."""
    names = [f.attname for f in model._meta.concrete_fields if f.attname in values]
    return model.from_db(DEFAULT_DB_ALIAS, names, [values[name] for name in names])


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
