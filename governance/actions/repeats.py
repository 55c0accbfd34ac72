"""A deed that is sent twice is done once: its answer is kept in the deed's own transaction."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit.vocabulary import Via
from common.errors import RuleBroken
from common.words import sentence as _
from governance.models import KeptAnswer, Organisation, User

LIFE = timedelta(hours=24)


class Reused(RuleBroken):
    """The key was sent before, with something else. Doors answer 422."""


@dataclass(frozen=True)
class Answer:
    """What a door answers: a status, plain data, a few headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def once(
    *,
    key: str,
    fingerprint: str,
    organisation: Organisation,
    by: User,
    at: datetime,
    via: Via,
    deed: Callable[[], Answer],
) -> tuple[Answer, bool]:
    """The answer to `deed`, and whether it was given before.

    Two at once with one key wait for one another, and both get the answer of the first. Key and
    deed are committed together: whoever lost the connection while committing sends the same again.
    A deed that is refused leaves no key. Raises Reused where the key came with another
    `fingerprint` (64 hexadecimal digits) in the last 24 hours.
    """
    del via  # the deed inside writes through which door it came
    with transaction.atomic():
        KeptAnswer.objects.filter(user=by, kept_at__lte=at - LIFE).delete()
        kept, new = KeptAnswer.objects.get_or_create(
            user=by,
            organisation=organisation,
            key=key,
            defaults={"fingerprint": fingerprint, "kept_at": at},
        )
        if new:
            answer = deed()
            kept.status, kept.headers = answer.status, answer.headers
            kept.body = json.dumps(answer.body)
            kept.save(update_fields=["status", "body", "headers"])
            return answer, False
    if kept.fingerprint != fingerprint:
        raise Reused(
            "idempotency_key_reused",
            _("This key was sent before with something else. Use a new one."),
        )
    assert kept.status is not None  # noqa: S101 - a key without an answer is never committed
    return Answer(kept.status, json.loads(kept.body), kept.headers), True


def forget(*, at: datetime) -> int:
    """Remove what nobody may ask for again; returns how many."""
    gone, _by_kind = KeptAnswer.objects.filter(kept_at__lte=at - LIFE).delete()
    return gone
