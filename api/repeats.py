"""`Idempotency-Key`: whoever lost an answer sends the same again and gets the same answer."""

import json
import re
from collections.abc import Callable
from hashlib import sha256

from django.utils import timezone
from rest_framework.response import Response

from api.endpoints import Endpoint
from audit.vocabulary import Via
from common.errors import BadInput
from common.words import sentence as _
from governance.actions import repeats
from governance.actions.repeats import Answer

KEY = re.compile(r"[\x21-\x7e]{1,200}")
REPLAYED = "Idempotency-Replayed"


def once(endpoint: Endpoint, deed: Callable[[], Answer], *, content: str = "") -> Response:
    """Do it, or answer as before. `content` stands for a body that is not JSON: its digest."""
    key = endpoint.request.headers.get("Idempotency-Key")
    if key is None:
        return _told(deed())
    if not KEY.fullmatch(key):
        raise BadInput("idempotency_key", _("An Idempotency-Key has 1 to 200 plain characters."))
    answer, before = repeats.once(
        key=key,
        fingerprint=_fingerprint(endpoint, content),
        organisation=endpoint.access.organisation,
        by=endpoint.caller,
        at=timezone.now(),
        via=Via.API,
        deed=deed,
    )
    response = _told(answer)
    if before:
        response[REPLAYED] = "true"
    return response


def _told(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, headers=answer.headers)


def _fingerprint(endpoint: Endpoint, content: str) -> str:
    request = endpoint.request
    body = content or json.dumps(request.data, sort_keys=True)
    return sha256(f"{request.method} {request.path}\n{body}".encode()).hexdigest()
