"""What a recipient is asked to delete; holders and boards see how it stands, and of nobody."""

import csv
import io

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from common.errors import NotReady
from desk import paging
from desk.forms.deeds import ReportForm
from desk.hand import hand, staff
from release.actions import recalls as deeds
from release.models import Recall
from release.queries import recalls
from release.vocabulary import Reported

SHOWN = 20
PAGE = 50


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    below = paging.number(request.GET.get("before", ""))
    seen = recalls.seen_by(now["by"], below, PAGE + 1)
    shown = [each for each, _own in seen[:PAGE]]
    page = {
        "rows": [recalls.standing_of(each, now["at"]) for each in shown],
        "own": {each.pk for each, own in seen if own},
        "next": shown[-1].pk if len(seen) > PAGE else None,
    }
    return render(request, "desk/recalls.html", page)


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    return _page(request, ref, ReportForm(), 200)


def _page(request: HttpRequest, ref: str, form: ReportForm, status: int) -> HttpResponse:
    now = hand(request)
    own = recalls.asked_of(now["by"]).filter(ref=ref).first()
    recall = own or get_object_or_404(recalls.asked_for(now["by"]), ref=ref)
    keys, absent = _people(own, request) if own else ([], "")
    page = {
        "standing": recalls.standing_of(recall, now["at"]),
        "mine": own is not None,
        "people": keys[:SHOWN],
        "more": max(0, len(keys) - SHOWN),
        "absent": absent,
        "form": form,
    }
    return render(request, "desk/recall.html", page, status=status)


@require_GET
def people(request: HttpRequest, ref: str) -> HttpResponse:
    """Everybody it is about, as the recipient knows them, in one file."""
    found = _mine(request, ref)
    body = io.StringIO()
    written = csv.writer(body)
    written.writerow(["person"])
    written.writerows([key] for key in deeds.people(recall=found, by=staff(request)))
    response = HttpResponse(body.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{found.ref}.csv")
    return response


@require_POST
def acknowledge(request: HttpRequest, ref: str) -> HttpResponse:
    deeds.acknowledge(recall=_mine(request, ref), **hand(request))
    messages.success(request, _("You have said that you have it."))
    return redirect("desk:recall", ref=ref)


@require_POST
def report(request: HttpRequest, ref: str) -> HttpResponse:
    found = _mine(request, ref)
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _page(request, ref, form, 400)
    deeds.report(recall=found, reported=Reported(form.cleaned_data["reported"]), **hand(request))
    messages.success(request, _("Your answer is kept. The people it is about can see it."))
    return redirect("desk:recall", ref=ref)


def _mine(request: HttpRequest, ref: str) -> Recall:
    """One of those that this person answers for; anybody else's is not found."""
    found = recalls.asked_of(staff(request)).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def _people(recall: Recall, request: HttpRequest) -> tuple[list[str], str]:
    try:
        return deeds.people(recall=recall, by=staff(request)), ""
    except NotReady as reason:
        return [], str(reason.told)
