"""Two hands that let somebody begin anew: asking, agreeing, taking back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import RuleBroken
from desk.forms.people import AskResetForm
from desk.forms.signin import ProveAgainForm
from desk.hand import hand
from governance.actions import resets
from governance.models import AccountReset, User
from governance.queries import arrivals
from governance.vocabulary import ResetKind, UserKind


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, ref: str) -> HttpResponse:
    """The first hand; `ref` is the person's."""
    now = hand(request)
    person = get_object_or_404(User, ref=ref, kind=UserKind.STAFF, is_active=True)
    if not arrivals.through(person, now["by"], now["at"])[0]:
        raise Http404
    form = AskResetForm(request.POST or None, user=now["by"])
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            _reset, code = resets.ask(user=person, kind=ResetKind(form.cleaned_data["kind"]), **now)
        except RuleBroken as refusal:
            form.add_error("kind", refusal.told)
            status = 409
        else:
            return render(request, "desk/reset_code.html", {"person": person, "code": code})
    page = {"form": form, "person": person}
    return render(request, "desk/reset_ask.html", page, status=status)


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, ref: str) -> HttpResponse:
    """The second hand."""
    now = hand(request)
    found = _mine(request, ref)
    form = ProveAgainForm(request.POST or None, user=now["by"])
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            _reset, code = resets.agree(reset=found, **now)
        except RuleBroken as refusal:
            form.add_error(None, refusal.told)
            status = 409
        else:
            page = {"person": found.user, "code": code, "second": True}
            return render(request, "desk/reset_code.html", page)
    return render(request, "desk/reset_agree.html", {"form": form, "reset": found}, status=status)


@require_POST
def withdraw(request: HttpRequest, ref: str) -> HttpResponse:
    """By a hand, from the page of people; or by the person, who has lost nothing, from the first."""
    now = hand(request)
    own = arrivals.waiting_resets(now["at"]).filter(ref=ref, user=now["by"]).first()
    resets.withdraw(reset=own or _mine(request, ref), **now)
    if own is not None:
        return redirect("desk:home")
    messages.success(request, _("Taken back. Nothing changes for this person."))
    return redirect("desk:people")


@require_POST
def acknowledge(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found = get_object_or_404(AccountReset, ref=ref, user=now["by"], used_at__isnull=False)
    resets.acknowledge(reset=found, **now)
    return redirect("desk:home")


def _mine(request: HttpRequest, ref: str) -> AccountReset:
    """One that waits, and in which whoever is at the desk has a hand."""
    now = hand(request)
    found: AccountReset = get_object_or_404(arrivals.waiting_resets(now["at"]), ref=ref)
    if now["by"].pk not in arrivals.hands_over(found.user, found.organisation, now["at"]).users:
        raise Http404
    return found
