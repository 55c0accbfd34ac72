"""Accounts are made, each of one kind for ever; and the very first administrator."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Text, of, taking
from common.words import Sentence, joined
from common.words import sentence as _
from governance import permissions
from governance.actions import organisations, scopes, trail
from governance.models import Membership, Organisation, Scope, User
from governance.vocabulary import LONGEST_PASSWORD, OrganisationKind, Role, UserKind

USERNAME = re.compile(r"[A-Za-z0-9_.@+-]{3,}\Z")
PASSWORD = Text(most=LONGEST_PASSWORD, least=1, anything=True)
EASY = _("This password is too easy to guess. Choose a longer and rarer one.")
WEAK: Mapping[str | None, Sentence] = {
    "password_too_short": _("This password is too short. Choose one of 12 signs or more."),
    "password_too_common": _("This password is too common. Choose a rarer one."),
    "password_entirely_numeric": _("Digits alone are too easy to guess. Choose another one."),
}


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
    user = insert(username=username, kind=kind, password=password, language=language)
    # The log names no survivor, not even by an opaque reference.
    resource = "" if user.kind == UserKind.SURVIVOR else user.ref
    trail.record(
        type=EntryType.USER_CREATED, by=by, at=at, via=via, resource=resource, reason=user.kind
    )
    return user


@taking()
@transaction.atomic
def note_second_factor(*, user: User, by: User, at: datetime, via: Via) -> None:
    """A staff user's sign-in device was set up or took the place of a former one.

    The desk itself has checked that they may; this writes down that it happened, in its transaction.
    """
    trail.record(
        type=EntryType.USER_CHANGED,
        by=by,
        at=at,
        via=via,
        resource=user.ref,
        reason="second_factor",
    )


@taking()
@transaction.atomic
def note_provider(*, user: User, linked: bool, by: User, at: datetime, via: Via) -> None:
    """A staff user signs in through an OpenID Connect provider from now on, or not any more.

    The desk itself has checked that they may; this writes down that it happened, in its transaction.
    """
    trail.record(
        type=EntryType.USER_CHANGED,
        by=by,
        at=at,
        via=via,
        resource=user.ref,
        reason="linked" if linked else "unlinked",
    )


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
    hold_beginning()
    if kind != OrganisationKind.COMMUNITY:
        raise RuleBroken("community_first", _("The first organisation is a community."))
    organisation = organisations.insert(name=organisation_name, kind=kind, at=at)
    organisation.verified_at = at
    organisation.save(update_fields=["verified_at"])
    user = insert(username=username, kind=UserKind.STAFF, password=password, language="en")
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


def hold_beginning() -> None:
    """Inside the caller's transaction nobody else begins; raises RuleBroken where somebody able to
    sign in administers anything already."""
    # Two beginnings at once wait for one another at everyone's scope.
    scopes.ensure([])
    Scope.objects.select_for_update().get(everyone=True)
    administrators = Membership.objects.filter(
        role=Role.ADMINISTRATOR, ended_at__isnull=True, user__is_active=True
    )
    if administrators.exists():
        raise RuleBroken("already_begun", _("There is an administrator already."))


def set_password(user: User, password: str) -> None:
    """Put a password on the user, not yet saved; BadInput where it is too easy."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadInput(
            "password_weak",
            joined(dict.fromkeys(WEAK.get(each.code, EASY) for each in error.error_list)),
            where="password",
        ) from error
    user.set_password(password)


def insert(*, username: str, kind: UserKind, password: str | None, language: str) -> User:
    """The row of a new account; for the deeds that make one."""
    if not USERNAME.match(username):
        raise BadInput(
            "username",
            _("A sign-in name has 3 to 80 letters, digits or the signs _ . @ + -"),
            where="username",
        )
    if language not in ("en", "es"):
        raise BadInput("language", _("Choose the language en or es."), where="language")
    if User.objects.filter(username__iexact=username).exists():
        raise RuleBroken("username_taken", _("This sign-in name is taken."))
    user = User(username=username, kind=UserKind(kind), language=language)
    if password is None:
        user.set_unusable_password()
    elif kind == UserKind.MACHINE:
        raise RuleBroken("machine_password", _("A machine signs in with a token, never so."))
    else:
        set_password(user, password)
    user.save()
    return user
