"""Asking for a release: the table is the queue, and the clock answers.

Apart from the answering, which needs the engine: a web process asks and never loads it.
"""

from datetime import datetime
from functools import partial

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.words import sentence as _
from governance.actions import trail
from governance.models import AccessRequest, User
from governance.vocabulary import RequestState
from release import broker
from release.models import Release
from release.permissions import check_can_ask
from release.vocabulary import ReleaseClass


def ask(
    *, request: AccessRequest, by: User, at: datetime, via: Via, replaces: Release | None = None
) -> Release:
    """Ask for what a request was approved for: a waiting Release, at once.

    Raises NotPermitted unless `by` may ask in the requester's name; RuleBroken where the request
    was never approved. Whether anything may leave is decided when it is prepared.
    """
    check_can_ask(by, request.requester)
    if request.state not in {RequestState.APPROVED, RequestState.LAPSED, RequestState.ENDED}:
        raise RuleBroken("not_approved", _("This request has not been approved."))
    with transaction.atomic():
        return waiting(request=request, asked_by=by, by=by, at=at, via=via, replaces=replaces)


def waiting(
    *,
    request: AccessRequest,
    asked_by: User,
    by: User | None,
    at: datetime,
    via: Via,
    replaces: Release | None,
) -> Release:
    """A release that waits for the clock, inside the caller's transaction.

    `asked_by` is in whose name it is asked for; `by` is who acts now: where a package is void and
    replaced, whoever came for it, or nobody but the clock. Once
    that has committed a worker is told; nothing hangs on the word, for the row is the queue.
    """
    release = Release.objects.create(
        release_class=ReleaseClass.DATASET,
        request=request,
        holder=request.dataset.holder,
        recipient=request.requester,
        purpose=request.purpose,
        asked_by=asked_by,
        asked_at=at,
        replaces=replaces,
        format=request.format,
    )
    trail.record(
        type=EntryType.RELEASE_ASKED,
        by=by,
        at=at,
        via=via,
        resource=release.ref,
        purpose=request.purpose.code,
        reason="replaces" if replaces is not None else "",
    )
    transaction.on_commit(partial(broker.wake, release.pk), robust=True)
    return release
