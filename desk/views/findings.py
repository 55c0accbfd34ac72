"""What auditors found, for everybody whom it concerns; and what auditors read, for those who govern."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput
from desk import paging, standing
from desk.forms.audit import FindingForm, SayForm
from desk.hand import hand
from desk.templatetags.desk import moment
from desk.views.audit.cases import case_of
from governance import permissions
from governance.queries import people
from oversight.actions import findings as deeds
from oversight.models import Finding
from oversight.permissions import can_answer, can_look
from oversight.queries import cases
from oversight.vocabulary import Step


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    concerned = standing.mine(request)
    sees_readings = cases.may_see_readings(now["by"], now["at"])
    if not (concerned.checked or sees_readings):
        raise Http404
    rows, below = paging.page(cases.findings(now["by"], now["at"]), request)
    said = [(finding, cases.steps(finding)) for finding in rows]
    page = {
        "findings": [(finding, steps[-1], steps[0]) for finding, steps in said if steps],
        "sees_readings": sees_readings,
        "next": below,
    }
    return render(request, "desk/findings.html", page)


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    return _page(request, _visible(request, ref), SayForm(), 200)


@require_POST
def answer(request: HttpRequest, ref: str) -> HttpResponse:
    found = _visible(request, ref)
    if not can_answer(hand(request)["by"], found):
        raise Http404
    form = SayForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, 400)
    deeds.answer_finding(finding=found, text=form.cleaned_data["text"], **hand(request))
    messages.success(request, _("Your answer stands with the finding."))
    return redirect("desk:finding", ref=found.ref)


@require_POST
def close(request: HttpRequest, ref: str) -> HttpResponse:
    found = _visible(request, ref)
    if not can_look(hand(request)["by"], found.case):
        raise Http404
    form = SayForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, 400)
    deeds.close_finding(finding=found, text=form.cleaned_data["text"], **hand(request))
    messages.success(request, _("Closed."))
    return redirect("desk:finding", ref=found.ref)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, ref: str) -> HttpResponse:
    case = case_of(request, ref)
    organisations = list(people.organisations())
    given = {"number": request.GET.get("entry", "")}
    form = FindingForm(request.POST or None, initial=given, organisations=organisations)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            by_ref = {each.ref: each for each in organisations}
            try:
                found = deeds.open_finding(
                    case=case,
                    organisation=by_ref[form.cleaned_data["organisation"]],
                    title=form.cleaned_data["title"],
                    text=form.cleaned_data["text"],
                    number=form.cleaned_data["number"],
                    **hand(request),
                )
            except BadInput as refusal:
                form.add_error(refusal.where or None, refusal.told)
            else:
                return redirect("desk:finding", ref=found.ref)
    page = {"case": case, "form": form, "here": "findings"}
    return render(request, "desk/audit/finding_new.html", page, status=status)


@require_GET
def readings(request: HttpRequest) -> HttpResponse:
    """Everything that auditors looked at, the latest first: who checks is checked too."""
    now = hand(request)
    if not cases.may_see_readings(now["by"], now["at"]):
        raise Http404
    rows, below = paging.page(cases.readings(), request)
    page = {"readings": [(row, _told(row.asked)) for row in rows], "next": below}
    return render(request, "desk/readings.html", page)


def _told(asked: dict[str, str]) -> list[tuple[str, str]]:
    """What was asked for, without what only keeps its digest from being guessed; a person's word is
    for the auditors of its case alone."""
    return [
        (name, moment(datetime.fromisoformat(value)) if name in {"since", "until"} else value)
        for name, value in asked.items()
        if name not in {"salt", "handle"}
    ]


def _visible(request: HttpRequest, ref: str) -> Finding:
    now = hand(request)
    return get_object_or_404(cases.findings(now["by"], now["at"]), ref=ref)


def _page(request: HttpRequest, found: Finding, form: SayForm, status: int) -> HttpResponse:
    by = hand(request)["by"]
    said = cases.steps(found)
    still_open = said[-1].step != Step.CLOSED
    page: dict[str, Any] = {
        "finding": found,
        "said": said,
        "state": said[-1],
        "form": form,
        "may_answer": still_open and can_answer(by, found),
        "may_close": still_open and can_look(by, found.case),
        "audits": permissions.can_oversee(by),
    }
    return render(request, "desk/finding.html", page, status=status)
