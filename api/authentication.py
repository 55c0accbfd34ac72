"""Who is at the machines' door: a bearer token, known only by its SHA-256."""

import re

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from audit.actions import bursts
from audit.vocabulary import Via
from governance.models import ApiToken, User
from governance.queries import people
from governance.vocabulary import UserKind

SECRET = re.compile(r"[A-Za-z0-9._~+/-]{16,256}=*")
REALM = 'Bearer realm="api"'


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <secret>` and nothing else: no session, no cookie, no password."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        if not request.META.get("HTTP_AUTHORIZATION", ""):
            return None
        try:
            return self.admitted(request)
        except AuthenticationFailed:
            bursts.failed(
                door=Via.API, account=_secret(request), address=_address(request), at=timezone.now()
            )
            raise

    def admitted(self, request: Request) -> tuple[User, ApiToken]:
        """Whose token this is now. Raises AuthenticationFailed where it opens nothing."""
        secret = _secret(request)
        token = people.token(secret, timezone.now()) if secret else None
        if token is None or token.user.kind != UserKind.MACHINE:
            # One answer for every token that does not open the door: none tells on another.
            raise AuthenticationFailed("This token does not open this door.", code="token_refused")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _secret(request: Request) -> str:
    """What the header claims, if it has the form of a token."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret if scheme.lower() == "bearer" and SECRET.fullmatch(secret) else ""


def _address(request: Request) -> str:
    try:
        return str(get_adapter().get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return ""  # a proxy that was promised is not there; a token is answered as ever
