"""The second thing that a sign-in asks for where she has set one up: a code of an app, or a passkey.

Never needed. Where she has one, two of three open her page: her words, the device, her paper. Only
her advocate's new code, after its day of waiting, opens it with less.
"""

import json
import struct
import time
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from fido2.cose import UnsupportedKey

from audit.vocabulary import Via
from consent.actions import survivors
from governance.models import User
from governance.vocabulary import UserKind
from portal import offers

HALF, SINCE, OUT = "half_in", "half_in_since", "half_in_out"
FOR = 10 * 60
"""Seconds for which her words, typed right, wait for the second thing."""
DRAFT = "second_draft"
MOST_PASSKEYS = 3
NUMB = (
    *(KeyError, TypeError, ValueError, AttributeError, IndexError, ValidationError),
    *(NotImplementedError, struct.error),
)
"""What the passkey library raises at an answer that no browser gives."""


def of(user: User) -> QuerySet[Authenticator]:
    """What her sign-in asks for, the oldest first."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk).order_by("pk")
    return found


@dataclass(frozen=True)
class Kinds:
    """Which of the two somebody has."""

    app: bool
    passkeys: int

    @property
    def any(self) -> bool:
        return self.app or self.passkeys > 0


def kinds(user: User) -> Kinds:
    types = list(of(user).values_list("type", flat=True))
    return Kinds(
        app=Authenticator.Type.TOTP in types, passkeys=types.count(Authenticator.Type.WEBAUTHN)
    )


# --- half in --------------------------------------------------------------------------------------


def begin(request: HttpRequest, user: User) -> None:
    """Her words were right; the rest waits in a session that is new."""
    request.session.flush()
    request.session[HALF], request.session[SINCE] = user.pk, int(time.time())
    request.session[OUT] = user.get_session_auth_hash()


def half_in(request: HttpRequest) -> User | None:
    """Whose words were typed right a short while ago, as long as nothing of hers ended since."""
    if time.time() - request.session.get(SINCE, 0) > FOR:
        return None
    user = User.objects.filter(
        pk=request.session.get(HALF, 0), kind=UserKind.SURVIVOR, is_active=True
    ).first()
    if user is None or user.shut_at is not None:
        return None
    same = constant_time_compare(user.get_session_auth_hash(), request.session.get(OUT, ""))
    return user if same else None  # new words, or signed out everywhere: half a sign-in is over too


# --- what is shown --------------------------------------------------------------------------------


def app_code(user: User, code: str) -> int | None:
    """The number of the app that shows this code now; a code works once."""
    app = of(user).filter(type=Authenticator.Type.TOTP).first()
    return app.pk if app is not None and app.wrap().validate_code(code) else None


def ask_passkey(user: User) -> dict[str, Any]:
    """What her browser is asked; the answer must fit what this session keeps of it."""
    asked: dict[str, Any] = webauthn.begin_authentication(user)
    return asked


def passkey(user: User, answer: dict[str, Any]) -> int | None:
    """The number of the passkey that gave this answer; each question is answered once."""
    try:
        shown: int = webauthn.complete_authentication(user, answer).pk
    except NUMB:
        return None
    finally:
        webauthn.clear_state()
    return shown


# --- setting up and taking away -------------------------------------------------------------------


def drafted(request: HttpRequest) -> str:
    """The secret of an app that is being set up; it waits sealed in the session until then."""
    secret = offers.kept(request, DRAFT)
    if not secret:
        secret = generate_totp_secret()
        offers.keep(request, DRAFT, secret)
    return secret


def drawn(user: User, secret: str) -> dict[str, str]:
    """For the page: the secret as a square to photograph, and in groups to type."""
    url = get_adapter().build_totp_url(user, secret)
    return {"drawn": get_adapter().build_totp_svg(url), "spaced": " ".join(wrap(secret, 4))}


def fits(secret: str, code: str) -> bool:
    """Whether an app with this secret shows this code now."""
    return bool(validate_totp_code(secret, code))


def keep_app(request: HttpRequest, user: User, secret: str, code: str) -> User | None:
    """The app stands; None where one stood already: two sendings of one form make one."""
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if kinds(person).app:
            return None
        TOTP.activate(person, secret).validate_code(code)  # used up: nobody signs in with it again
        person = _noted(person, added=True)
    offers.drop(request, DRAFT)
    return person


def offer_passkey(user: User) -> dict[str, Any]:
    """What her browser is asked to make."""
    asked: dict[str, Any] = webauthn.begin_registration(user, passwordless=False)
    return asked


def keep_passkey(user: User, answer: dict[str, Any]) -> User | None:
    """The passkey stands; None where the answer does not fit, or there are enough."""
    try:
        made = _only_what_counts(answer)
        kept = webauthn.complete_registration(made).credential_data
        if kept is None or isinstance(kept.public_key, UnsupportedKey):
            return None
    except NUMB:
        return None
    finally:
        webauthn.clear_state()
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if kinds(person).passkeys >= MOST_PASSKEYS:
            return None
        WebAuthn.add(person, "", made)
        return _noted(person, added=True)


def take_away(user: User, number: int) -> bool:
    """One of hers is asked for no more; False where it is nowhere."""
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        gone = of(person).filter(pk=number).first()
        if gone is None:
            return False
        gone.delete()
        _noted(person, added=False)
    return True


def parsed(text: str) -> dict[str, Any]:
    """A browser's answer out of a form; ValueError where it is none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no answer")  # noqa: TRY004 - the form tells one failure
    return found


def _noted(user: User, *, added: bool) -> User:
    return survivors.note_second(added=added, by=user, at=timezone.now(), via=Via.PORTAL)


def _only_what_counts(answer: dict[str, Any]) -> dict[str, Any]:
    """Nothing is kept that a browser adds besides."""
    response = answer["response"]
    return {
        "id": answer["rawId"],
        "rawId": answer["rawId"],
        "type": "public-key",
        "response": {name: response[name] for name in ("clientDataJSON", "attestationObject")},
    }
