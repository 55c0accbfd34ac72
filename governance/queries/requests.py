"""Readings of access requests."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.rules import spelled_time
from common.planned import AS_NEEDED, BIGINT, DECODERS, Planned, Reading, number
from governance.models import AccessRequest, Decision, Organisation, User
from governance.queries import agreements, boards, people
from governance.rules import AskedField, RequestFact
from governance.rules.policies import Basis
from governance.vocabulary import DatasetState, PurposeKind, RequestState


@dataclass(frozen=True)
class Asked:
    """One request as its holder's system names it: its keys, and what the log says of it."""

    ref: str
    holder: Organisation
    pk: int
    dataset_id: int
    requester_id: int
    purpose_id: int
    agreement_id: int
    purpose_code: str
    basis: Basis


ASKED = Planned(
    "SELECT r.id, r.dataset_id, r.requester_id, r.purpose_id, r.agreement_id, p.code, a.ref,"
    " COALESCE((SELECT MIN(s.digest) FROM governance_agreementsignature s"
    " WHERE s.agreement_id = r.agreement_id), ''),"
    " COALESCE(b.ref || '/' || c.number, '')"
    " FROM governance_accessrequest r JOIN governance_dataset d ON d.id = r.dataset_id"
    " JOIN governance_purpose p ON p.id = r.purpose_id"
    " JOIN governance_agreement a ON a.id = r.agreement_id"
    " LEFT JOIN governance_decision e ON e.request_id = r.id"
    " LEFT JOIN governance_charter c ON c.id = e.charter_id"
    " LEFT JOIN governance_board b ON b.id = c.board_id"
    " WHERE r.ref = %(ref)s AND d.holder_id = %(holder)s AND r.submitted_at IS NOT NULL",
    {"postgresql": {}, "sqlite": {}},
    {"ref": AS_NEEDED, "holder": BIGINT},
)
CATEGORY_CODES = Planned(
    "SELECT DISTINCT c.id, c.code FROM governance_requestfield q"
    " JOIN governance_field f ON f.id = q.field_id"
    " JOIN governance_datacategory c ON c.id = f.category_id WHERE q.request_id = %(request)s",
    {"postgresql": {}, "sqlite": {}},
    {"request": BIGINT},
)


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


def asked_of(holder: Organisation, ref: str) -> Asked | None:
    """What somebody has handed in about what this organisation holds; None: nothing of it is."""
    vendor, rows = ASKED.rows([ref, holder.pk])
    if not rows:
        return None
    pk, dataset, requester, purpose, agreement = map(number, rows[0][:5])
    code, *basis = map(DECODERS[vendor].text, rows[0][5:])
    return Asked(ref, holder, pk, dataset, requester, purpose, agreement, code, Basis(code, *basis))


def category_codes(request: int) -> Reading[dict[int, str]]:
    """The code of each category that a field of this request is in today, by primary key."""
    return Reading(
        CATEGORY_CODES,
        [request],
        lambda vendor, rows: {number(pk): DECODERS[vendor].text(code) for pk, code in rows},
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


def said(request: AccessRequest) -> dict[str, str]:
    """Everything that a board is asked, spelled: the entry of the handing-in commits to it."""
    names = request.fields.order_by("field__name").values_list("field__name", flat=True)
    return {
        "requester": request.requester.ref,
        "dataset": request.dataset.ref,
        "purpose": request.purpose.code,
        "agreement": request.agreement.ref,
        "fields": "\n".join(names),
        "reason": request.reason,
        "benefit": request.benefit,
        "format": request.format,
        "starts": spelled_time(request.starts),
        "ends": spelled_time(request.ends),
        "answer_by": spelled_time(request.answer_by) if request.answer_by else "",
    }


def answered(decision: Decision) -> dict[str, str]:
    """What a board answered, spelled: the entry of the answer commits to it."""
    return {
        "outcome": decision.outcome,
        "charter": str(decision.charter.number),
        "votes": f"{decision.yes} {decision.no} {decision.survivors_present}",
    }
