"""What a client says is wrong, or is not to be shared for now: written down, and decided."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import contests
from consent.queries import contests as queries
from consent.vocabulary import ANSWER_DAYS, Contested, Decided
from desk import standing
from desk.forms.contests import ContestForm, DecideForm
from desk.hand import hand
from governance.models import DataCategory


@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def record(request: HttpRequest) -> HttpResponse:
    """By any advocate who may hear her: it is held back the moment it is sent."""
    now, holders = hand(request), standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    categories = {each.code: each for each in DataCategory.objects.order_by("code")}
    form = ContestForm(request.POST or None, holders=holders, categories=categories.values())
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            found = contests.ask_by_number(
                holder=next(each for each in holders if each.ref == chosen["holder"]),
                number=chosen["number"],
                category=categories[chosen["category"]],
                kind=Contested(chosen["kind"]),
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            messages.success(
                request, _("Held back. Its number is %(ref)s: note it.") % {"ref": found.ref}
            )
            return redirect("desk:contest")
    page = {"form": form, "days": ANSWER_DAYS}
    return render(request, "desk/contest.html", page, status=status)


@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, ref: str) -> HttpResponse:
    """By a steward of the organisation that keeps it, who is told which kind and not whose."""
    now, stewards = hand(request), standing.mine(request).stewards
    if not stewards:
        raise PermissionDenied
    waiting = queries.waiting(stewards, now["at"])
    found = next((each for each in waiting if each.contest.ref == ref), None)
    if found is None:
        raise Http404
    form = DecideForm(request.POST or None, choices=found.choices)
    status = 200
    if request.method == "POST" and form.is_valid():
        decision = Decided(form.cleaned_data["decision"])
        try:
            contests.decide(contest=found.contest, decision=decision, **now)
        except RuleBroken as refusal:
            form.add_error("decision", refusal.told)
            status = 409
        else:
            messages.success(request, _("Decided. She sees it on her own page."))
            return redirect("desk:work")
    return render(
        request, "desk/contest_decide.html", {"form": form, "found": found}, status=status
    )
