"""What was in force when an entry was written, out of what never changes."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from audit.queries import facts as log
from audit.vocabulary import EntryType
from consent.models import CategorySetItem, Consent, ConsentEvent, Dispute, Objection, Spoken
from consent.vocabulary import Happening, Signer
from governance.models import AccessRequest, Agreement, Charter, Decision, Organisation, Purpose
from governance.queries import boards, catalogue
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
    """The consents that opened something of what is asked, as the gate would have read them.

    A pause with an end is over by itself. Of one that another followed nobody knows any more until
    when it was meant to last: it counts as over, as where noes and releases are compared.
    """
    before = ConsentEvent.objects.filter(
        consent=OuterRef("pk"), at__lte=at, happening__in=standing.TURNS
    ).order_by("-pk")
    after = ConsentEvent.objects.filter(
        consent=OuterRef("pk"), at__gt=at, happening__in=standing.PAUSES
    ).order_by("pk")
    found = Consent.objects.filter(
        holder=request.dataset.holder_id,
        recipient=request.requester_id,
        purpose=request.purpose_id,
        starts__lte=at,
        ends__gt=at,
    ).annotate(
        last=Subquery(before.values("happening")[:1]),
        since=Subquery(before.values("at")[:1]),
        next=Subquery(after.values("happening")[:1]),
    )
    over = Q(last=Happening.PAUSED) & (
        Q(next=Happening.PAUSED) | Q(next__isnull=True, paused_at=F("since"), paused_until__lte=at)
    )
    noes = _against(request, at)
    heard = Spoken.objects.filter(
        ~Exists(_disputed(at)), consent=OuterRef("pk"), representative__ends__gt=at
    )
    return found.filter(
        Q(last__in=standing.LIVE) | over,
        Q(signer=Signer.SELF) | Exists(heard),
        ~Exists(noes.filter(subject=OuterRef("subject"), category__isnull=True)),
        Exists(_open(request, noes)),
    )


def _disputed(at: datetime) -> QuerySet[Dispute]:
    """The disputes on who may speak for the person of a yes, at the instant."""
    return Dispute.objects.filter(
        Q(resolved_at__isnull=True) | Q(resolved_at__gt=at),
        subject=OuterRef("consent__subject"),
        reported_at__lte=at,
    )


def _against(request: AccessRequest, at: datetime) -> QuerySet[Objection]:
    """The noes to this asking, or to a category of it, that stood at the instant."""
    return Objection.objects.filter(
        Q(recipient__isnull=True) | Q(recipient=request.requester_id),
        Q(recipient_kind="") | Q(recipient_kind=request.requester.kind),
        Q(purpose__isnull=True) | Q(purpose=request.purpose_id),
        Q(lifted_at__isnull=True) | Q(lifted_at__gt=at),
        made_at__lte=at,
    )


def _open(request: AccessRequest, noes: QuerySet[Objection]) -> QuerySet[CategorySetItem]:
    """What of a consent's categories is asked for, and not closed by a no of hers."""
    asked = [each.field for each in request.fields.select_related("field")]
    versions = {pk for several in catalogue.covering_versions(asked).values() for pk in several}
    hers = noes.filter(
        subject=OuterRef(OuterRef("subject")), category=OuterRef("version__category")
    )
    return CategorySetItem.objects.filter(
        ~Exists(hers), set=OuterRef("category_set"), version__in=versions
    )


def _persons(
    case: AuditCase, request: AccessRequest, answer: Release | None, at: datetime
) -> list[Word]:
    """Those of the case's handles whose holder it is about."""
    holder = request.dataset.holder_id
    handles = case.handles.filter(subject__holder=holder).select_related("subject__holder")
    stood = _yeses(request, at)
    return [
        Word(each.word, stood.filter(subject=each.subject_id).exists(), _sent(each, answer))
        for each in handles.order_by("word")
        if search.person(case, each.word) is not None
    ]


def _sent(handle: CaseHandle, answer: Release | None) -> bool | None:
    if answer is None or answer.answered_at is None:
        return None
    found = uses.of_subject(handle.subject)
    return any(use.sent and use.release.pk == answer.pk for use in found)
