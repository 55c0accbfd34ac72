"""Readings of access requests."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.models import AccessRequest, User
from governance.queries import agreements, boards, people
from governance.rules import AskedField, RequestFact
from governance.vocabulary import DatasetState, PurposeKind, RequestState


def visible_to(user: User, at: datetime) -> QuerySet[AccessRequest]:
    """The requests of this user's organisations; once handed in, also those about what they hold
    and those before a board this user sits on."""
    own = people.organisations_of(user, at)
    sits = boards.seats_of(user, at).values("board")
    handed_in = ~Q(state=RequestState.DRAFT) & Q(submitted_at__isnull=False)
    about = Q(dataset__holder__in=own) | Q(dataset__board__in=sits)
    return (
        AccessRequest.objects.filter(Q(requester__in=own) | (handed_in & about))
        .select_related("requester", "dataset__holder", "purpose", "agreement")
        .order_by("-created_at", "-pk")
    )


def to_answer(user: User, at: datetime) -> QuerySet[AccessRequest]:
    """What waits for this user's vote, the most urgent first."""
    own = people.organisations_of(user, at)
    free = (
        boards.seats_of(user, at)
        .filter(board=OuterRef("dataset__board"))
        .exclude(organisation=OuterRef("requester"))
        .exclude(organisation=OuterRef("dataset__holder"))
        .exclude(ballots__request=OuterRef("pk"))
        .exclude(recusals__request=OuterRef("pk"))
    )
    return (
        AccessRequest.objects.filter(Exists(free), state=RequestState.SUBMITTED, answer_by__gt=at)
        .exclude(requester__in=own)
        .exclude(dataset__holder__in=own)
        .select_related("requester", "dataset__holder", "purpose")
        .order_by("answer_by", "pk")
    )


def overdue(at: datetime) -> QuerySet[AccessRequest]:
    """What no board has answered in time."""
    return AccessRequest.objects.filter(state=RequestState.SUBMITTED, answer_by__lte=at)


def locked(request: AccessRequest) -> AccessRequest:
    """The request as it stands now, held until this transaction ends."""
    return (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("requester", "dataset__holder", "dataset__board", "purpose", "agreement")
        .get(pk=request.pk)
    )


def fact(request: AccessRequest) -> RequestFact:
    """What the request asks and what it rests on, for the rules."""
    asked = request.fields.select_related("field").order_by("field__position")
    return RequestFact(
        requester=request.requester_id,
        holder=request.dataset.holder_id,
        dataset=request.dataset_id,
        dataset_state=DatasetState(request.dataset.state),
        purpose=request.purpose_id,
        purpose_kind=PurposeKind(request.purpose.kind),
        purpose_open=request.purpose.paused_at is None and request.purpose.retired_at is None,
        starts=request.starts,
        ends=request.ends,
        reason=request.reason,
        benefit=request.benefit,
        agreement=agreements.fact(request.agreement),
        fields=tuple(
            AskedField(
                name=row.field.name,
                dataset=row.field.dataset_id,
                category=row.field.category_id,
                narrative=row.field.narrative,
            )
            for row in asked
        ),
    )
