"""Asking a client of one's organisation for a yes; she answers on her own page."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import proposals
from consent.queries.proposals import askable
from desk import standing
from desk.forms.deeds import AskForm
from desk.hand import hand


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    holders = standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    found = askable(now["at"])
    form = AskForm(request.POST or None, holders=holders, askable=found)
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            proposals.ask_by_number(
                holder=next(each for each in holders if each.ref == chosen["holder"]),
                number=chosen["number"],
                recipient=next(
                    each for each in found.recipients if each.ref == chosen["recipient"]
                ),
                purpose=next(each for each in found.purposes if each.code == chosen["purpose"]),
                categories=[each for each in found.categories if each.code in chosen["kinds"]],
                terms=next(each for each in found.terms if str(each) == chosen["terms"]),
                days=chosen["days"],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("days" if refusal.code == "too_long" else "number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            return redirect("desk:ask-done")
    return render(request, "desk/ask.html", {"form": form}, status=status)


@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """Says that she is asked; what she answers other than yes is hers alone to know."""
    return render(request, "desk/ask_done.html")
