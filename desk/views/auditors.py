"""What auditors ask of a holder: a word for one client, and a look at papers. Identities stay here."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from desk import standing
from desk.forms.audit import HandleForm
from desk.hand import hand
from governance.models import Organisation
from oversight.actions import cases as deeds
from oversight.actions import worksheets as checking
from oversight.models import Worksheet
from oversight.queries import cases, worksheets
from oversight.vocabulary import Paper


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    held = _holders(request)
    page = {"cases": cases.open_for(held), "sheets": worksheets.at_holders(held)}
    return render(request, "desk/auditors.html", page)


@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest, ref: str) -> HttpResponse:
    """The word is shown to the steward, who sees that it was made; the number is not shown again."""
    held = _holders(request)
    case = get_object_or_404(cases.open_for(held), ref=ref)
    holders = [each for each in held if case.holder_id in {None, each.pk}]
    form = HandleForm(request.POST or None, holders=holders)
    handle, status = None, 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            by_ref = {each.ref: each for each in holders}
            try:
                handle = deeds.issue_handle(
                    case=case,
                    holder=by_ref[form.cleaned_data["holder"]],
                    number=form.cleaned_data["number"],
                    **hand(request),
                )
            except (RuleBroken, BadInput) as refusal:
                form.add_error("number", refusal.told)
                status = 400 if isinstance(refusal, BadInput) else 409
            else:
                form, status = HandleForm(holders=holders), 200
    page = {"case": case, "form": form, "handle": handle}
    return render(request, "desk/handle.html", page, status=status)


@require_GET
def papers(request: HttpRequest, ref: str) -> HttpResponse:
    """The lines of a sample, with where each paper lies."""
    sheet = _sheet(request, ref)
    page = {"sheet": sheet, "lines": worksheets.lines(sheet), "papers": Paper.choices}
    return render(request, "desk/papers.html", page)


@require_POST
def check(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    sheet = _sheet(request, ref)
    line = worksheets.line(sheet, number) if number <= worksheets.MOST else None
    if line is None:
        raise Http404
    found = request.POST.get("found", "")
    if found in Paper.values:
        checking.check(line=line, found=Paper(found), **hand(request))
        messages.success(request, _("Recorded."))
    else:
        messages.error(request, _("Choose what the paper says."))
    return redirect("desk:papers", ref=sheet.ref)


def _holders(request: HttpRequest) -> list[Organisation]:
    held = standing.mine(request).stewards
    if not held:
        raise Http404
    return held


def _sheet(request: HttpRequest, ref: str) -> Worksheet:
    return get_object_or_404(worksheets.at_holders(_holders(request)), ref=ref)
