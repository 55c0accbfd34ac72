"""What the clock does for an auditor: verifying the log (A4), writing entries out of it (A5)."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit import queries as log
from common.errors import BadInput
from desk import paging
from desk.forms.audit import ExportForm, VerifyForm
from desk.hand import hand
from desk.views.audit.cases import case_of
from oversight.actions import jobs as deeds
from oversight.queries import jobs
from oversight.vocabulary import Format, JobKind


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for it, of the whole log or of some entries; load the page again to see how far it is."""
    case = case_of(request, ref)
    form = VerifyForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                deeds.ask_verification(case=case, **form.chosen(), **hand(request))
            except BadInput as refusal:
                form.add_error(refusal.where or None, refusal.told)
            else:
                messages.success(request, _("Asked. The clock begins in a moment."))
                return redirect("desk:audit-verify", ref=case.ref)
    rows, below = paging.page(jobs.of_case(case, JobKind.VERIFY, JobKind.RANGE), request)
    page = {
        "case": case,
        "form": form,
        "jobs": [_shown(job) for job in rows],
        "next": below,
        "here": "verify",
    }
    return render(request, "desk/audit/verify.html", page, status=status)


@require_GET
def checkpoint(request: HttpRequest, ref: str) -> HttpResponse:
    """The signed head of the log, to be kept elsewhere; it is public, and names nobody."""
    case_of(request, ref)
    head = log.latest_checkpoint()
    response = HttpResponse(
        log.note_with(head) if head else "", content_type="text/plain; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="checkpoint.txt"'
    return response


@require_http_methods(["GET", "POST"])
def export(request: HttpRequest, ref: str) -> HttpResponse:
    case = case_of(request, ref)
    form = ExportForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                deeds.ask_export(
                    case=case,
                    format=Format(form.cleaned_data["format"]),
                    reason=form.cleaned_data["reason"],
                    first=form.cleaned_data["first"],
                    last=form.cleaned_data["last"],
                    **hand(request),
                )
            except BadInput as refusal:
                form.add_error(refusal.where or None, refusal.told)
            else:
                messages.success(request, _("Asked. It stands below when it is ready."))
                return redirect("desk:audit-export", ref=case.ref)
    rows, below = paging.page(jobs.of_case(case, JobKind.EXPORT), request)
    page = {
        "case": case,
        "form": form,
        "jobs": [_shown(job) for job in rows],
        "next": below,
        "here": "export",
    }
    return render(request, "desk/audit/export.html", page, status=status)


@require_POST
def take(request: HttpRequest, ref: str, job: str, place: int) -> HttpResponseBase:
    """One file of an export; each taking is on record."""
    case = case_of(request, ref)
    found = get_object_or_404(jobs.of_case(case, JobKind.EXPORT), ref=job)
    name = dict(enumerate(jobs.names(found))).get(place, "")
    path = deeds.take(job=found, name=name, **hand(request))
    return FileResponse(path.open("rb"), as_attachment=True, filename=name)


def _shown(job: Any) -> dict[str, Any]:
    done = max(0, job.done - job.first)
    whole = max(1, job.total - job.first)
    return {
        "job": job,
        "done": done,
        # The log may have grown since, or the signed head lie further on.
        "total": max(job.total - job.first, done),
        "last": job.total - 1,
        "percent": min(100, 100 * done // whole),
        "files": list(enumerate(jobs.names(job))),
    }
