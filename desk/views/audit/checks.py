"""Looking at roles, and drawing samples of imported yeses."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import RuleBroken
from desk import paging
from desk.forms.audit import ReviewForm, WorksheetForm
from desk.hand import hand
from desk.views.audit.cases import case_of
from governance.queries import people
from oversight.actions import reviews as deeds
from oversight.actions import worksheets as drawing
from oversight.queries import access, worksheets
from oversight.vocabulary import Verdict


@require_GET
def roles(request: HttpRequest, ref: str) -> HttpResponse:
    case = case_of(request, ref)
    after = paging.place(request.GET.get("after", ""))
    found = deeds.look(case=case, after=after, **hand(request))
    page = {"case": case, "found": found, "here": "access"}
    return render(request, "desk/audit/access.html", page)


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """One role: whether it should go on, and why."""
    case = case_of(request, ref)
    membership = get_object_or_404(
        access.memberships(case, hand(request)["at"]), pk=min(number, paging.LARGEST)
    )
    form = ReviewForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            deeds.review(
                case=case,
                membership=membership,
                verdict=Verdict(form.cleaned_data["verdict"]),
                reason=form.cleaned_data["reason"],
                **hand(request),
            )
            messages.success(request, _("Recorded."))
            return redirect("desk:audit-access", ref=case.ref)
    page = {"case": case, "form": form, "membership": membership, "here": "access"}
    return render(request, "desk/audit/review.html", page, status=status)


@require_http_methods(["GET", "POST"])
def samples(request: HttpRequest, ref: str) -> HttpResponse:
    case = case_of(request, ref)
    holders = [case.holder] if case.holder else list(people.organisations())
    form = WorksheetForm(request.POST or None, holders=holders)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            by_ref = {each.ref: each for each in holders}
            try:
                sheet = drawing.draw(
                    case=case,
                    holder=by_ref[form.cleaned_data["holder"]],
                    size=form.cleaned_data["size"],
                    **hand(request),
                )
            except RuleBroken as refusal:
                form.add_error("holder", refusal.told)
                status = 409
            else:
                return redirect("desk:audit-worksheet", ref=case.ref, sheet=sheet.ref)
    sheets, below = paging.page(worksheets.of_case(case), request)
    page = {
        "case": case,
        "form": form,
        "sheets": sheets,
        "next": below,
        "here": "worksheets",
    }
    return render(request, "desk/audit/worksheets.html", page, status=status)


@require_GET
def sample(request: HttpRequest, ref: str, sheet: str) -> HttpResponse:
    """The lines as an auditor sees them: days and kinds; where a paper lies, the holder knows."""
    case = case_of(request, ref)
    found = get_object_or_404(worksheets.of_case(case), ref=sheet)
    page = {
        "case": case,
        "sheet": found,
        "lines": worksheets.lines(found),
        "here": "worksheets",
    }
    return render(request, "desk/audit/worksheet.html", page)
