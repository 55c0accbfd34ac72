"""Codes with which clients come in: given on a sheet of paper, listed while open, taken back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from consent.actions import enrolment
from consent.models import EnrolmentCode
from consent.queries import enrolment as queries
from consent.vocabulary import CodeKind
from desk import square, standing
from desk.forms.coming import CodeForm
from desk.hand import hand
from governance.models import Organisation


@sensitive_post_parameters("number", "password", "code")
@require_http_methods(["GET", "POST"])
def many(request: HttpRequest) -> HttpResponse:
    """The open ones, and the form of a new one; the sheet is shown once, in the answer."""
    now = hand(request)
    holders = _holders(request)
    form = CodeForm(
        request.POST or None,
        user=now["by"],
        holders=holders,
        initial={"language": translation.get_language()},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        try:
            made, code = enrolment.issue(
                holder=next(each for each in holders if each.ref == words["holder"]),
                number=words["number"],
                kind=CodeKind(words["kind"]),
                talked=words["talked"],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            page = {"made": made, "sheet": _sheet(request, made, code, words["language"])}
            return render(request, "desk/code_given.html", page)
    page = {"form": form, "codes": queries.given_at(holders, now["at"]), "me": now["by"]}
    return render(request, "desk/codes.html", page, status=status)


@require_POST
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found = get_object_or_404(queries.given_at(_holders(request), now["at"]), ref=ref)
    enrolment.cancel(code=found, **now)
    messages.success(request, _("Taken back. The code opens nothing any more."))
    return redirect("desk:codes")


def _holders(request: HttpRequest) -> list[Organisation]:
    holders = standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    return holders


def _sheet(request: HttpRequest, made: EnrolmentCode, code: str, language: str) -> str:
    """What is printed, in the person's language: neutral words, and the address without the code."""
    address = request.build_absolute_uri(reverse("portal:begin"))
    with translation.override(language):
        shown = {
            "code": code,
            "made": made,
            "address": address,
            "drawn": square.drawn(address),
            "language": language,
        }
        return render_to_string("desk/sheet.html", shown)
