"""How allauth behaves at the staff door: staff only, one failure for all; and second factors of
everybody, their secrets sealed at rest."""

import base64
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.translation import gettext_lazy

from audit.actions import bursts
from audit.vocabulary import Via
from common.errors import NotReady
from common.words import sentence as _
from desk import square
from governance.models import User
from governance.vocabulary import UserKind

BEGAN = "desk.signed_out_at"
SEALED = "v1:"
NONCE = 12


class StaffAccountAdapter(DefaultAccountAdapter):
    """Signs in staff and nobody else; whoever else has the right password sees the same failure."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy(
            "This name and password do not belong together."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries. Wait five minutes, then try again."
        ),
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        self.pre_authenticate(request, **credentials)
        # One backend, so that every failure costs exactly one hash and takes the same time.
        user = ModelBackend().authenticate(
            request,
            username=credentials.get("username"),
            password=credentials.get("password"),
        )
        if not isinstance(user, User) or user.kind != UserKind.STAFF or user.shut_at is not None:
            self.authentication_failed(request, **credentials)
            return None
        self._rollback_login_failed_rl_usage()
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:  # a try too many is a failed one as well
            self.authentication_failed(request, **credentials)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        bursts.failed(
            door=Via.DESK,
            account=str(credentials.get("username", "")),
            address=self.get_client_ip(request),
            at=timezone.now(),
        )

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        request.session[BEGAN] = _signed_out(user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Half a sign-in is over too where everything else of this person's was ended meanwhile."""
        now = User.objects.get(pk=user.pk)
        began = request.session.pop(BEGAN, None)
        if now.shut_at is not None or not now.is_active or began != _signed_out(now):
            request.session.flush()
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        super().login(request, now)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # By name and address together: nobody can lock a colleague out from elsewhere.
        name = str(credentials.get("username", "")).lower()
        return f"{name}\n{self.get_client_ip(request)}"

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        own = "desk.provider.SecondFactorStage"
        return [
            own if each == "allauth.mfa.stages.AuthenticateStage" else each
            for each in super().get_login_stages()
        ]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("desk:home")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened; allauth's own messages stay unsaid."""

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """The staff door sends no mail at all."""


class SealingMFAAdapter(DefaultMFAAdapter):
    """Keeps second-factor secrets sealed: the database alone opens no account."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy(
            "This code is not right. Wait for the next one and try again."
        ),
    }

    def encrypt(self, text: str) -> str:
        nonce = secrets.token_bytes(NONCE)
        sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, text.encode(), None)
        return SEALED + base64.b64encode(nonce + sealed).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(SEALED):
            raise NotReady("second_factor_unreadable", _("A second factor is not stored sealed."))
        raw = base64.b64decode(encrypted_text.removeprefix(SEALED))
        for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
            try:
                return AESGCM(_key(secret)).decrypt(raw[:NONCE], raw[NONCE:], None).decode()
            except InvalidTag:
                continue
        raise NotReady(
            "second_factor_unreadable",
            _(
                "A second factor cannot be opened with the present secret. "
                "Put the former secret back, or reset this person's second factor."
            ),
        )

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The deployment's own neutral name: a phone shows it beside the passkey."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.SITE_NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """The name somebody signs in with, and nothing by which the service itself calls them."""
        handle = salted_hmac("desk.adapters.passkey", user.ref, algorithm="sha256").digest()
        return {"id": handle, "name": user.username, "display_name": user.username}

    def build_totp_svg(self, url: str) -> str:
        """The code as one path, without the inline styles our content policy forbids."""
        return square.drawn(url)


def _signed_out(user: User) -> str:
    return user.signed_out_at.isoformat() if user.signed_out_at else ""


def _key(secret: str | bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sayso second factor").derive(
        force_bytes(secret)
    )
