"""Who is at the machines' door: a bearer token, known only by its SHA-256, and what it is for."""

import re

from django.utils import timezone
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from governance.models import User
from governance.queries import machines
from governance.queries.machines import Access
from governance.vocabulary import MachineScope

SECRET = re.compile(r"[A-Za-z0-9._~+/-]{16,256}=*")
REALM = 'Bearer realm="api"'


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <secret>` and nothing else: no session, no cookie, no password."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, secret = header.partition(" ")
        access = None
        if scheme.lower() == "bearer" and SECRET.fullmatch(secret):
            access = machines.access(secret, timezone.now())
        if access is None:
            # One answer for every token that does not open the door: none tells on another.
            raise AuthenticationFailed("This token does not open this door.", code="token_refused")
        return access.user, access

    def authenticate_header(self, request: Request) -> str:
        return REALM


class InsufficientScope(APIException):
    """The token opens the door, but it is for something else."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "insufficient_scope"

    def __init__(self, scope: MachineScope) -> None:
        super().__init__(f"This token is not for this. It needs the scope {scope.value}.")
        self.auth_header = f'{REALM}, error="insufficient_scope", scope="{scope.value}"'


class HoldsScope(BasePermission):
    """Each address says for each method what a token must be for."""

    def has_permission(self, request: Request, view: object) -> bool:
        needed: MachineScope | None = getattr(view, "scopes", {}).get(request.method)
        access = request.auth
        if needed is None or not isinstance(access, Access):
            return True  # no such method here, or nobody: answered elsewhere
        if needed not in access.scopes:
            raise InsufficientScope(needed)
        return True
