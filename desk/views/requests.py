"""Asking for data: the queue, one request's file, a draft, handing it in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.days import day_of
from common.errors import BadInput, RuleBroken
from desk import standing
from desk.forms.deeds import DraftForm, VoteForm, period
from desk.hand import hand
from desk.templatetags.desk import label
from desk.views import releases
from governance import permissions
from governance.actions import requests
from governance.models import AccessRequest, Agreement, Dataset, Field, Purpose, Seat
from governance.queries import agreements, boards, catalogue
from governance.queries import requests as readings
from governance.rules import excluded
from governance.vocabulary import DatasetState, PackageFormat, PurposeKind, RequestState


@dataclass(frozen=True)
class MyPart:
    """How one board member stands to one request: only one of these is true at a time."""

    seat: Seat
    to_vote: bool = False
    voted: str = ""
    recused: bool = False
    barred: bool = False


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    visible = readings.visible_to(now["by"], now["at"])
    page = {
        "standing": standing.mine(request),
        "waiting": list(readings.to_answer(now["by"], now["at"])),
        "asked": list(visible),
    }
    return render(request, "desk/requests.html", page)


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    return file_page(request, _visible(request, ref), VoteForm())


def file_page(
    request: HttpRequest, asked: AccessRequest, form: VoteForm, status: int = 200
) -> HttpResponse:
    """One request's file, with whatever this reader may do about it."""
    now = hand(request)
    by = now["by"]
    part = _my_part(request, asked)
    decision = getattr(asked, "decision", None)
    told = decision is not None and (part is None or not part.recused)
    page = {
        "asked": asked,
        "groups": _by_category(row.field for row in asked.fields.select_related("field__category")),
        "form": form,
        "part": part,
        "version": asked.dataset.versions.order_by("-number").first(),
        "decision": decision,
        "ballots": asked.ballots.select_related("seat").order_by("pk") if told and part else [],
        "may_submit": asked.state == RequestState.DRAFT
        and permissions.can_ask(by, asked.requester),
        "may_end": asked.state in ENDABLE and permissions.can_end_request(by, asked),
        "may_decide": asked.state == RequestState.SUBMITTED
        and permissions.can_decide(by, asked.dataset.board)
        and not (part and (part.recused or part.barred)),
        "may_release": asked.state == RequestState.APPROVED
        and asked.starts <= now["at"] < asked.ends
        and permissions.can_ask(by, asked.requester),
        "releases": releases.seen_by(by).filter(request=asked)[:20],
    }
    return render(request, "desk/request.html", page, status=status)


ENDABLE = {RequestState.DRAFT, RequestState.SUBMITTED, RequestState.APPROVED}


@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Under which agreement, and from which dataset: the first of two steps."""
    now = hand(request)
    asks = {organisation.pk for organisation in standing.mine(request).asks}
    found = [
        (agreement, [row.dataset for row in agreement.datasets.select_related("dataset__holder")])
        for agreement in agreements.in_force(now["at"]).filter(recipient__in=asks)
    ]
    return render(request, "desk/request_choose.html", {"found": found, "may": bool(asks)})


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, agreement: str, dataset: str) -> HttpResponse:
    """The form, then a draft that is kept: its page is where answers are checked."""
    now = hand(request)
    signed = get_object_or_404(agreements.in_force(now["at"]), ref=agreement)
    wanted = get_object_or_404(
        Dataset.objects.filter(state=DatasetState.ACTIVE), ref=dataset, pk__in=_datasets(signed)
    )
    if not permissions.can_ask(now["by"], signed.recipient):
        raise Http404
    purposes, fields = _purposes(signed), _askable(signed, wanted)
    form = DraftForm(
        request.POST or None,
        initial=_earlier(request, signed),
        purposes=[(purpose, label(purpose)) for purpose in purposes],
        fields=fields,
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        starts, ends = period(given["starts"], given["ends"], signed, now["at"])
        try:
            kept = requests.draft(
                requester=signed.recipient,
                dataset=wanted,
                purpose=next(p for p in purposes if p.code == given["purpose"]),
                agreement=signed,
                fields=[field for field in fields if field.name in given["fields_asked"]],
                reason=given["reason"],
                benefit=given["benefit"],
                format=PackageFormat(given["format"]),
                starts=starts,
                ends=ends,
                **now,
            )
        except (BadInput, RuleBroken) as refusal:
            form.add_error(None, refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            return redirect("desk:request", ref=kept.ref)
    page = {
        "form": form,
        "agreement": signed,
        "dataset": wanted,
        "groups": _by_category(fields),
        "chosen": form.chosen(),
    }
    return render(request, "desk/request_draft.html", page, status=status)


@require_POST
def submit(request: HttpRequest, ref: str) -> HttpResponse:
    asked = _visible(request, ref)
    requests.submit(request=asked, **hand(request))
    messages.success(
        request, _("The request is with the board. No answer by the date shown is a no.")
    )
    return redirect("desk:request", ref=asked.ref)


@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    asked = _visible(request, ref)
    requests.end(request=asked, **hand(request))
    messages.success(request, _("The request is ended. Nothing leaves by it any more."))
    return redirect("desk:request", ref=asked.ref)


def _visible(request: HttpRequest, ref: str) -> AccessRequest:
    now = hand(request)
    return get_object_or_404(
        readings.visible_to(now["by"], now["at"]).select_related("dataset__board", "decision"),
        ref=ref,
    )


def _my_part(request: HttpRequest, asked: AccessRequest) -> MyPart | None:
    """Where this reader sits on the board, how they stand to this request; None without a seat."""
    now = hand(request)
    seat = boards.seat_on(now["by"], asked.dataset.board, now["at"])
    if seat is None or asked.state == RequestState.DRAFT:
        return None
    ballot = asked.ballots.filter(seat=seat).first()
    if ballot is not None:
        return MyPart(seat=seat, voted=ballot.get_vote_display())
    if asked.recusals.filter(seat=seat).exists():
        return MyPart(seat=seat, recused=True)
    review = boards.review(asked, now["at"])
    fact = next((fact for fact in review.seats if fact.seat == seat.pk), None)
    if fact is None or excluded(fact, review.parties):
        return MyPart(seat=seat, barred=True)
    open_now = asked.answer_by is not None and now["at"] < asked.answer_by
    return MyPart(seat=seat, to_vote=asked.state == RequestState.SUBMITTED and open_now)


def _by_category(fields: Iterable[Field]) -> list[tuple[str, list[Field]]]:
    """The fields under the name of the category people say yes or no to."""
    ordered = sorted(fields, key=lambda field: (label(field.category), field.position))
    return [(name, list(held)) for name, held in groupby(ordered, lambda f: label(f.category))]


def _datasets(signed: Agreement) -> list[int]:
    return list(signed.datasets.values_list("dataset_id", flat=True))


def _purposes(signed: Agreement) -> list[Purpose]:
    """What may be asked for under the agreement; reporting never receives rows."""
    covered = signed.purposes.values_list("purpose_id", flat=True)
    return [
        purpose
        for purpose in catalogue.purposes().filter(pk__in=covered)
        if purpose.kind != PurposeKind.REPORTING
    ]


def _askable(signed: Agreement, wanted: Dataset) -> list[Field]:
    """The dataset's fields in the agreement's categories; free text never leaves this way."""
    covered = signed.categories.values_list("category_id", flat=True)
    return list(catalogue.fields(wanted).filter(category__in=covered, narrative=False))


def _earlier(request: HttpRequest, signed: Agreement) -> dict[str, object]:
    """Answers of an earlier draft of one's own, to write it anew."""
    initial: dict[str, object] = {"format": PackageFormat.PARQUET.value}
    ref = request.GET.get("from", "")
    now = hand(request)
    earlier = (
        readings.visible_to(now["by"], now["at"])
        .filter(ref=ref, requester=signed.recipient)
        .first()
    )
    if earlier is not None:
        initial |= {
            "purpose": earlier.purpose.code,
            "fields_asked": [row.field.name for row in earlier.fields.select_related("field")],
            "reason": earlier.reason,
            "benefit": earlier.benefit,
            "format": earlier.format,
            "starts": day_of(earlier.starts),
            "ends": day_of(earlier.ends - timedelta.resolution),
        }
    return initial
