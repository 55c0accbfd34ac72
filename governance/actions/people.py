"""Accounts are made, each of one kind for ever; and the very first administrator."""

import re
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import organisations, scopes, trail
from governance.models import Membership, Organisation, Scope, User
from governance.vocabulary import LONGEST_PASSWORD, OrganisationKind, Role, UserKind

USERNAME = re.compile(r"[A-Za-z0-9_.@+-]{3,}\Z")
PASSWORD = Text(most=LONGEST_PASSWORD, least=1, anything=True)


@taking(username=of(User, "username"), password=PASSWORD, language=of(User, "language"))
@transaction.atomic
def create_user(
    *,
    username: str,
    kind: UserKind,
    by: User,
    at: datetime,
    via: Via,
    password: str | None = None,
    language: str = "en",
) -> User:
    """An account is made; without a password nobody signs in with it (machines use tokens)."""
    permissions.check_can_make_account(by, kind)
    user = _insert(username=username, kind=kind, password=password, language=language)
    # The log names no survivor, not even by an opaque reference.
    resource = "" if user.kind == UserKind.SURVIVOR else user.ref
    trail.record(
        type=EntryType.USER_CREATED, by=by, at=at, via=via, resource=resource, reason=user.kind
    )
    return user


@taking(
    username=of(User, "username"),
    password=PASSWORD,
    organisation_name=of(Organisation, "name"),
)
@transaction.atomic
def create_first_administrator(
    *,
    username: str,
    password: str,
    organisation_name: str,
    at: datetime,
    via: Via,
    kind: OrganisationKind = OrganisationKind.COMMUNITY,
) -> User:
    """Sayso begins: the community that convenes, and its administrator. Possible only once."""
    # Two beginnings at once wait for one another at everyone's scope.
    scopes.ensure([])
    Scope.objects.select_for_update().get(everyone=True)
    if Membership.objects.exists():
        raise RuleBroken("already_begun", _("There is an administrator already."))
    if kind != OrganisationKind.COMMUNITY:
        raise RuleBroken("community_first", _("The first organisation is a community."))
    organisation = organisations.insert(name=organisation_name, kind=kind, at=at)
    organisation.verified_at = at
    organisation.save(update_fields=["verified_at"])
    user = _insert(username=username, kind=UserKind.STAFF, password=password, language="en")
    Membership.objects.create(
        user=user, organisation=organisation, role=Role.ADMINISTRATOR, started_at=at
    )
    permissions.grant(user, organisation, Role.ADMINISTRATOR)
    _record_beginning(user, organisation, at, via)
    return user


def _record_beginning(user: User, organisation: Organisation, at: datetime, via: Via) -> None:
    for kind, resource in (
        (EntryType.ORGANISATION_CREATED, organisation.ref),
        (EntryType.USER_CREATED, user.ref),
        (EntryType.MEMBERSHIP_GRANTED, f"{organisation.ref}/{user.ref}"),
    ):
        trail.record(type=kind, by=user, at=at, via=via, resource=resource, reason="first")


def _insert(*, username: str, kind: UserKind, password: str | None, language: str) -> User:
    if not USERNAME.match(username):
        raise BadInput(
            "username", _("A sign-in name has 3 to 80 letters, digits or the signs _ . @ + -")
        )
    if language not in ("en", "es"):
        raise BadInput("language", _("Choose the language en or es."))
    if User.objects.filter(username__iexact=username).exists():
        raise RuleBroken("username_taken", _("This sign-in name is taken."))
    user = User(username=username, kind=UserKind(kind), language=language)
    if password is not None:
        if kind == UserKind.MACHINE:
            raise RuleBroken("machine_password", _("A machine signs in with a token, never so."))
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise BadInput(
                "password_weak",
                _("This password is too easy to guess. Choose a longer and rarer one."),
                where="password",
            ) from error
    user.set_password(password)
    user.save()
    return user
