"""Audit cases: which there are, opening one, closing one; and what the log cannot show at all."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from desk import paging
from desk.forms.audit import CaseForm
from desk.hand import hand
from governance.queries import people
from oversight.actions import cases as deeds
from oversight.models import AuditCase
from oversight.queries import cases, coverage


def case_of(request: HttpRequest, ref: str) -> AuditCase:
    """The case of this reference, for the auditors of its organisation; nowhere for all others."""
    now = hand(request)
    return get_object_or_404(cases.of_auditor(now["by"], now["at"]), ref=ref)


def _auditing(request: HttpRequest) -> list[Any]:
    now = hand(request)
    organisations = cases.audited_by(now["by"], now["at"])
    if not organisations:
        raise Http404
    return organisations


@require_http_methods(["GET", "POST"])
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    organisations = _auditing(request)
    holders = list(people.organisations())
    form = CaseForm(request.POST or None, organisations=organisations, holders=holders)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            by_ref = {each.ref: each for each in [*organisations, *holders]}
            try:
                case = deeds.open_case(
                    organisation=by_ref[form.cleaned_data["organisation"]],
                    holder=by_ref.get(form.cleaned_data["holder"]),
                    title=form.cleaned_data["title"],
                    reason=form.cleaned_data["reason"],
                    **now,
                )
            except (BadInput, RuleBroken) as refusal:
                form.add_error(None, refusal.told)
            else:
                return redirect("desk:audit-search", ref=case.ref)
    after = paging.place(request.GET.get("after", ""))
    rows, following = cases.page_of_auditor(now["by"], now["at"], after=after, most=paging.PAGE)
    page = {"form": form, "cases": rows, "next": following}
    return render(request, "desk/audit/cases.html", page, status=status)


@require_POST
def close(request: HttpRequest, ref: str) -> HttpResponse:
    deeds.close_case(case=case_of(request, ref), **hand(request))
    messages.success(request, _("Closed. Its handles lead to nobody any more."))
    return redirect("desk:audit")


@require_GET
def covered(request: HttpRequest) -> HttpResponse:
    """What the log shows, and what passes by it: the same for everybody who audits."""
    _auditing(request)
    return render(request, "desk/audit/coverage.html", {"covered": coverage.covered()})
