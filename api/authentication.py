"""Who is at the machines' door: a bearer token, known only by its SHA-256, and what it is for."""

import re

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils import timezone
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from audit.actions import bursts
from audit.vocabulary import Via
from governance.models import User
from governance.queries import machines
from governance.queries.machines import Access
from governance.vocabulary import MachineScope

SECRET = re.compile(r"[A-Za-z0-9._~+/-]{16,256}=*")
REALM = 'Bearer realm="api"'


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <secret>` and nothing else: no session, no cookie, no password."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        if not request.META.get("HTTP_AUTHORIZATION", ""):
            return None
        try:
            return self.admitted(request)
        except AuthenticationFailed:
            bursts.failed(
                door=Via.API, account=_secret(request), address=address(request), at=timezone.now()
            )
            raise

    def admitted(self, request: Request) -> tuple[User, Access]:
        """Whose token this is now. Raises AuthenticationFailed where it opens nothing."""
        secret = _secret(request)
        access = machines.access(secret, timezone.now()) if secret else None
        if access is None:
            # One answer for every token that does not open the door: none tells on another.
            raise AuthenticationFailed("This token does not open this door.", code="token_refused")
        return access.user, access

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _secret(request: Request) -> str:
    """What the header claims, if it has the form of a token."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret if scheme.lower() == "bearer" and SECRET.fullmatch(secret) else ""


def address(request: Request) -> str:
    """Where the caller stands; empty where that cannot be known."""
    try:
        return str(get_adapter().get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return ""  # a proxy that was promised is not there; a token is answered as ever


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
