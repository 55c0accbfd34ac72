"""Who is at the machines' door: a bearer token, known only by its SHA-256."""

import re

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from governance.models import ApiToken, User
from governance.queries import people
from governance.vocabulary import UserKind

SECRET = re.compile(r"[A-Za-z0-9._~+/-]{16,256}=*")
REALM = 'Bearer realm="api"'


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <secret>` and nothing else: no session, no cookie, no password."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, secret = header.partition(" ")
        token = None
        if scheme.lower() == "bearer" and SECRET.fullmatch(secret):
            token = people.token(secret, timezone.now())
        if token is None or token.user.kind != UserKind.MACHINE:
            # One answer for every token that does not open the door: none tells on another.
            raise AuthenticationFailed("This token does not open this door.", code="token_refused")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM
