"""What was in force when an entry was written, out of what never changes."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from audit.queries import facts as log
from audit.vocabulary import EntryType
from consent.models import Consent, ConsentEvent
from governance.models import AccessRequest, Agreement, Charter, Decision, Organisation, Purpose
from governance.queries import boards
from governance.vocabulary import AgreementState
from oversight.models import AuditCase, CaseHandle
from oversight.queries import search
from oversight.rules import standing
from release.models import Release
from release.queries import uses

AGREEMENT_TYPES = {*standing.AGREEMENT, EntryType.AGREEMENT_SIGNED, EntryType.AGREEMENT_NARROWED}
COUNTED = 100_000  # people are counted up to here; a page shows bands


@dataclass(frozen=True)
class Word:
    """How one person stood, by her handle in the case: whether her yes was in force, and whether her
    record was in the package (None where nothing was prepared)."""

    handle: str
    yes: bool
    sent: bool | None


@dataclass(frozen=True)
class Then:
    """What an entry about one request or one answer rested on, at its instant."""

    request: AccessRequest
    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    agreement: Agreement
    agreement_state: AgreementState | None
    charter: Charter | None
    decision: Decision | None
    seats: int
    yeses: int
    persons: tuple[Word, ...]


def of(case: AuditCase, resource: str, at: datetime) -> Then | None:
    """The facts about the request or answer of this reference; None for any other thing."""
    answer = Release.objects.filter(ref=resource).first()
    asked = AccessRequest.objects.select_related(
        "dataset__holder", "dataset__board", "requester", "purpose", "agreement"
    )
    request = (
        asked.filter(pk=answer.request_id) if answer is not None else asked.filter(ref=resource)
    ).first()
    if request is None:
        return None
    board = request.dataset.board
    return Then(
        request=request,
        holder=request.dataset.holder,
        recipient=request.requester,
        purpose=request.purpose,
        agreement=request.agreement,
        agreement_state=agreement_state(request.agreement, at),
        charter=boards.charter(board, at),
        decision=Decision.objects.filter(request=request, decided_at__lte=at).first(),
        seats=boards.seats(board, at).count(),
        yeses=_yeses(request, at)[:COUNTED].count(),
        persons=tuple(_persons(case, request, answer, at)),
    )


def agreement_state(agreement: Agreement, at: datetime) -> AgreementState | None:
    """How the agreement stood, by the entries about it."""
    found = log.about(AGREEMENT_TYPES, [agreement.ref])
    entries = [(each.type, each.time, each.reason) for each in found]
    return standing.agreement(entries, agreement.starts, agreement.ends, at)


def yeses(request: AccessRequest, at: datetime) -> int:
    """How many people's yes for what is asked was in force."""
    return _yeses(request, at).count()


def _yeses(request: AccessRequest, at: datetime) -> QuerySet[Consent]:
    """Equal, consent by consent, to `standing.yes_stood`."""
    latest = ConsentEvent.objects.filter(consent=OuterRef("pk"), at__lte=at).order_by("-pk")
    found = Consent.objects.filter(
        holder=request.dataset.holder_id,
        recipient=request.requester_id,
        purpose=request.purpose_id,
        starts__lte=at,
        ends__gt=at,
    )
    return found.annotate(last=Subquery(latest.values("happening")[:1])).filter(
        last__in=standing.LIVE
    )


def _persons(
    case: AuditCase, request: AccessRequest, answer: Release | None, at: datetime
) -> list[Word]:
    """Those of the case's handles whose holder it is about."""
    holder = request.dataset.holder_id
    handles = case.handles.filter(subject__holder=holder).select_related("subject__holder")
    return [
        Word(each.word, _stood(each, request, at), _sent(each, answer))
        for each in handles.order_by("word")
        if search.person(case, each.word) is not None
    ]


def _stood(handle: CaseHandle, request: AccessRequest, at: datetime) -> bool:
    consents = Consent.objects.filter(
        subject=handle.subject_id,
        holder=request.dataset.holder_id,
        recipient=request.requester_id,
        purpose=request.purpose_id,
    ).prefetch_related("events")
    return any(
        standing.yes_stood(
            sorted(((each.happening, each.at) for each in consent.events.all()), key=_time),
            consent.starts,
            consent.ends,
            at,
        )
        for consent in consents
    )


def _time(event: tuple[str, datetime]) -> datetime:
    return event[1]


def _sent(handle: CaseHandle, answer: Release | None) -> bool | None:
    if answer is None or answer.answered_at is None:
        return None
    found = uses.of_subject(handle.subject)
    return any(use.sent and use.release.pk == answer.pk for use in found)
