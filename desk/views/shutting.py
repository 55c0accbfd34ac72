"""On a client's word: her sign-in shut or closed, or her sharing frozen. Three different deeds."""

from typing import assert_never

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import shutting
from desk import standing
from desk.forms.coming import ShuttingForm, Wanted
from desk.hand import Hand, hand
from governance.models import Organisation


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    holders = standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    form = ShuttingForm(request.POST or None, holders=holders)
    status = 200
    if request.method == "POST" and form.is_valid():
        holder = next(each for each in holders if each.ref == form.cleaned_data["holder"])
        try:
            _done(Wanted(form.cleaned_data["wanted"]), holder, form.cleaned_data["number"], now)
        except (RuleBroken, BadInput) as refusal:
            form.add_error("number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            return redirect("desk:shutting-done")
    return render(request, "desk/shutting.html", {"form": form}, status=status)


@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """Says that it is recorded and nothing else: what she shares is not the advocate's to see."""
    return render(request, "desk/shutting_done.html")


def _done(wanted: Wanted, holder: Organisation, number: str, now: Hand) -> None:
    match wanted:
        case Wanted.SHUT:
            shutting.shut(holder=holder, number=number, **now)
        case Wanted.FREEZE:
            shutting.freeze(holder=holder, number=number, **now)
        case Wanted.CLOSE:
            shutting.close(holder=holder, number=number, **now)
        case never:
            assert_never(never)
