"""Every refusal of the machines' door, translated once into problem+json (RFC 9457)."""

import logging
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.errors import BadInput, NotPermitted, NotReady, RuleBroken, SaysoError, Void
from governance.actions.repeats import Reused
from release.vocabulary import VoidGround

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
MOST_ERRORS = 50
LONGEST_NAME = 80
logger = logging.getLogger(__name__)

CHANGED = "changed"
OF_A_PERSON = frozenset({VoidGround.PERSON_SAID_NO.value, VoidGround.CONSENT_ENDED.value})

SAYSO_STATUS: dict[type[SaysoError], HTTPStatus] = {
    Reused: HTTPStatus.UNPROCESSABLE_ENTITY,
    RuleBroken: HTTPStatus.CONFLICT,
    BadInput: HTTPStatus.BAD_REQUEST,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    Void: HTTPStatus.GONE,
}


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's exception handler."""
    set_rollback()
    if isinstance(error, SaysoError):
        return _sayso(error)
    if isinstance(error, ValidationError):
        return _shape(error)
    if isinstance(error, APIException):
        return _framework(error)
    return _django(error)


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One refusal: `code` is stable, `detail` is for a person and repeats nothing that was sent."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    headers = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Response(body, status=int(status), headers=headers, content_type=CONTENT_TYPE)


def outside(status: int) -> JsonResponse:
    """The same for what is refused before it comes to an endpoint, or breaks there."""
    phrase = HTTPStatus(status)
    body = {
        "type": "about:blank",
        "title": phrase.phrase,
        "status": status,
        "code": phrase.name.lower(),
        "detail": phrase.description or phrase.phrase,
    }
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def _sayso(error: SaysoError) -> Response:
    status = next(found for kind, found in SAYSO_STATUS.items() if isinstance(error, kind))
    if isinstance(error, BadInput) and error.where:
        named = {"where": error.where, "code": error.code, "detail": error.message}
        return problem(status, error.code, error.message, errors=[named])
    # Whether somebody said no or a yes ran out is not for the recipient to know.
    code = CHANGED if isinstance(error, Void) and error.code in OF_A_PERSON else error.code
    return problem(status, code, error.message)


def _shape(error: ValidationError) -> Response:
    errors = [
        {"where": where or "body", "code": str(found.code), "detail": str(found)}
        for where, found in _flat(error.detail, "")
    ]
    return problem(
        HTTPStatus.BAD_REQUEST,
        "bad_shape",
        "What was sent does not have the right shape.",
        errors=errors[:MOST_ERRORS],
    )


def _flat(detail: Any, where: str) -> Iterator[tuple[str, ErrorDetail]]:
    if isinstance(detail, ErrorDetail):
        yield where, detail
    elif isinstance(detail, dict):
        for name, inner in detail.items():
            place = "" if name == "non_field_errors" else str(name)[:LONGEST_NAME]
            yield from _flat(inner, ".".join(filter(None, [where, place])))
    else:
        for inner in detail:
            yield from _flat(inner, where)


def _framework(error: APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    wait: float | None = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    detail = error.detail
    code = str(detail.code) if isinstance(detail, ErrorDetail) else error.default_code
    return problem(HTTPStatus(error.status_code), code, str(detail), headers=headers)


def _django(error: Exception) -> Response:
    match error:
        case Http404():
            return problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here for you.")
        case NotPermitted():
            return problem(HTTPStatus.FORBIDDEN, error.code, error.message)
        case PermissionDenied():
            return problem(HTTPStatus.FORBIDDEN, "not_permitted", "You may not do this.")
        case RequestDataTooBig():
            return problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The body is too large."
            )
        case SuspiciousOperation() | UnreadablePostError():
            return problem(HTTPStatus.BAD_REQUEST, "unreadable", "The request cannot be read.")
        case OperationalError() | InterfaceError():
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "database_unavailable",
                "The database does not answer at present.",
            )
        case _:
            return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    # Where it happened, but never the error's own words: they can quote a value.
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s at the machines' door\n%s", type(error).__name__, places)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong here; nothing was handed over.",
    )
