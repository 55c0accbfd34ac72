"""Where a machine shows its application's secret and gets a token (RFC 6749, section 4.4)."""

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from oauth2_provider.models import Application
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from rest_framework import serializers
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.status import HTTP_401_UNAUTHORIZED

from api.authentication import address
from api.described import ALWAYS, POSTED, PROBLEM_TYPE, Problem
from api.endpoints import Endpoint
from api.throttling import DoorThrottle
from audit.actions import bursts
from audit.vocabulary import Via
from governance.actions import machines as deeds
from governance.queries import machines
from governance.vocabulary import MachineScope

FORM = "application/x-www-form-urlencoded"
LONGEST = 256
SHOWN = {
    "type": "object",
    "properties": {
        "grant_type": {"type": "string", "const": "client_credentials"},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
        "scope": {"type": "string"},
    },
    "required": ["grant_type"],
}
GIVEN = inline_serializer(
    name="Token",
    fields={
        "access_token": serializers.CharField(),
        "token_type": serializers.CharField(),
        "expires_in": serializers.IntegerField(),
        "scope": serializers.CharField(),
    },
)
REFUSED = inline_serializer(
    name="TokenRefused",
    fields={
        "error": serializers.CharField(),
        "error_description": serializers.CharField(required=False),
    },
)
TURNED_AWAY = {
    400: "The form cannot be read.",
    **{status: words for status, words in ALWAYS.items() if status in {405, 429, 503}},
    413: POSTED[413],
    415: POSTED[415],
}


class Validator(OAuth2Validator):
    """What oauthlib asks of us: whose secret this is, and what its application may be used for."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """The application shown in `Authorization: Basic` or in the body, with either secret."""
        client_id, given = _shown(request.headers, dict(request.decoded_body or ()))
        client = machines.client(client_id) if client_id else None
        if client is None:
            return False
        now = timezone.now()
        secret = machines.secret(client, given, now)
        if secret is None:
            return False
        request.client, request.secret = client.application, secret
        request.open = sorted(scope.value for scope in machines.scopes_of(client, now))
        return bool(request.open)  # without a role in force nothing is open, and nobody comes in

    def get_default_scopes(
        self, client_id: str, request: Any, *args: Any, **kwargs: Any
    ) -> list[str]:
        found: list[str] = request.open
        return found

    def validate_scopes(
        self,
        client_id: str,
        scopes: Collection[str],
        client: Application,
        request: Any,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return set(scopes) <= set(request.open)

    def _save_bearer_token(
        self, token: Mapping[str, Any], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Called inside the toolkit's own transaction: the token and its entry, both or neither."""
        super()._save_bearer_token(token, request, *args, **kwargs)
        secret = request.secret
        if not deeds.let_in(secret=secret, by=secret.client.user, at=timezone.now(), via=Via.API):
            raise InvalidClientError(request=request)


class Token(Endpoint):
    """`/api/oauth/token/`"""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (DoorThrottle,)
    parser_classes = (FormParser,)
    scopes: ClassVar[Mapping[str, MachineScope]] = {}

    @extend_schema(
        operation_id="get_token",
        description="A token for an application's id and secret (RFC 6749, section 4.4).",
        auth=[],
        request={FORM: SHOWN},
        responses={
            200: GIVEN,
            (400, "application/json"): REFUSED,
            (401, "application/json"): REFUSED,
            **{
                (status, PROBLEM_TYPE): OpenApiResponse(Problem, description=words)
                for status, words in TURNED_AWAY.items()
            },
        },
    )
    def post(self, request: Request) -> HttpResponse:
        request.data  # noqa: B018 - another type, or a body that cannot be read, is refused here
        form = _Form(request)
        try:
            _, headers, body, status = OAuthLibCore().create_token_response(form)
        except InvalidClientError as ended:  # between the look at the secret and the token
            headers, body, status = ended.headers, ended.json, ended.status_code
        if status == HTTP_401_UNAUTHORIZED:
            bursts.failed(
                door=Via.API,
                account=_shown(form.META, form.POST)[0],
                address=address(request),
                at=timezone.now(),
            )
        answer = HttpResponse(body, status=status, content_type="application/json")
        if challenge := headers.get("WWW-Authenticate"):
            answer["WWW-Authenticate"] = challenge
        return answer


class _Form:
    """The request as the toolkit reads it: its head, and the form that was parsed already."""

    def __init__(self, request: Request) -> None:
        self._request = request
        # An empty body of no kind is read as plain data, not as a form.
        self.POST = request.data if isinstance(request.data, QueryDict) else QueryDict()
        self.META = request.META
        self.method = request.method

    def get_full_path(self) -> str:
        return (
            self._request.path
        )  # what stands behind a question mark is no part of a token request

    def is_secure(self) -> bool:
        return bool(self._request.is_secure())


def _shown(head: Mapping[str, Any], form: Mapping[str, str]) -> tuple[str, str]:
    """The id and the secret that were shown; empty where there are none or they are odd."""
    scheme, _, encoded = str(head.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return "", ""
        name, _, secret = text.partition(":")
        name, secret = unquote_plus(name), unquote_plus(secret)
    else:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
    odd = "\x00" in name or len(name) > LONGEST or len(secret) > LONGEST
    return ("", "") if odd else (name, secret)
