"""A request is drafted, handed to the board, and ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import of, taking
from common.words import joined
from common.words import sentence as _
from governance import permissions
from governance.actions import details, scopes, trail
from governance.models import (
    AccessRequest,
    Agreement,
    Dataset,
    Field,
    Organisation,
    Purpose,
    RequestField,
    User,
)
from governance.queries import boards, requests
from governance.rules import RequestVerb, request_after, request_faults
from governance.vocabulary import Narrowing, PackageFormat, RequestState


@taking(
    reason=of(AccessRequest, "reason", least=0, lines=True, name=_("Reason")),
    benefit=of(AccessRequest, "benefit", least=0, lines=True, name=_("Benefit")),
)
@transaction.atomic
def draft(
    *,
    requester: Organisation,
    dataset: Dataset,
    purpose: Purpose,
    agreement: Agreement,
    fields: Sequence[Field],
    reason: str,
    benefit: str,
    starts: datetime,
    ends: datetime,
    by: User,
    at: datetime,
    via: Via,
    format: PackageFormat = PackageFormat.PARQUET,
) -> AccessRequest:
    """A request is written down; nobody is asked yet."""
    permissions.check_can_ask(by, requester)
    if starts >= ends:
        raise BadInput("request_period", _("The period ends after it starts."), where="ends")
    if len({field.pk for field in fields}) != len(fields):
        raise BadInput("field_twice", _("A field is asked for twice."), where="fields")
    request = AccessRequest.objects.create(
        requester=requester,
        dataset=dataset,
        purpose=purpose,
        agreement=agreement,
        reason=reason,
        benefit=benefit,
        format=PackageFormat(format),
        starts=starts,
        ends=ends,
        created_by=by,
        created_at=at,
    )
    RequestField.objects.bulk_create(RequestField(request=request, field=field) for field in fields)
    _record(EntryType.REQUEST_DRAFTED, request, by=by, at=at, via=via)
    return request


@transaction.atomic
def submit(*, request: AccessRequest, by: User, at: datetime, via: Via) -> AccessRequest:
    """The board is asked, and from now on the request's content stands; no answer is a no."""
    found = requests.locked(request)
    permissions.check_can_ask(by, found.requester)
    state = request_after(found.state, RequestVerb.SUBMIT)
    faults = request_faults(requests.fact(found), at)
    if faults:
        raise RuleBroken(faults[0].code, joined(fault.message for fault in faults))
    charter = boards.charter(found.dataset.board, at)
    if charter is None:
        raise RuleBroken("no_charter", _("The board of this dataset has no charter yet."))
    found.state = state
    found.submitted_at = at
    found.answer_by = at + timedelta(days=charter.answer_days)
    found.save(update_fields=["state", "submitted_at", "answer_by"])
    beside = details.committed_to(requests.said(found))
    _record(EntryType.REQUEST_SUBMITTED, found, by=by, at=at, via=via, **beside)
    return found


def end(*, request: AccessRequest, by: User, at: datetime, via: Via) -> AccessRequest:
    """The requester takes it back, or the holder stops it. Nothing leaves by it any more."""
    with scopes.narrowing(act=Narrowing.REQUEST_ENDED, recipients=[request.requester_id]) as moment:
        found = requests.locked(request)
        permissions.check_can_end_request(by, found)
        answered = found.state == RequestState.APPROVED
        found.state = request_after(found.state, RequestVerb.END)
        found.save(update_fields=["state"])
        moment.tell(what="request", ref=found.ref)
        trail.record(
            type=EntryType.REQUEST_ENDED if answered else EntryType.REQUEST_WITHDRAWN,
            by=by,
            at=moment.at,
            via=via,
            resource=found.ref,
            purpose=found.purpose.code,
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(found.requester_id),
        )
    return found


def _record(
    type: EntryType, request: AccessRequest, *, by: User, at: datetime, via: Via, **beside: Any
) -> None:
    trail.record(
        type=type,
        by=by,
        at=at,
        via=via,
        resource=request.ref,
        purpose=request.purpose.code,
        **beside,
    )
