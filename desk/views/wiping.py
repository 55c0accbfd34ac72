"""Wiping what leads to a client, by two; and legal holds, which keep it from being wiped."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from consent.actions import holds, shredding
from consent.models import Shredding
from consent.queries import shredding as queries
from consent.vocabulary import HoldGround
from desk import standing
from desk.forms.signin import ProveAgainForm
from desk.forms.wiping import AgreeWipeForm, AskWipeForm, HoldForm
from desk.hand import hand
from governance.models import Organisation

BY_CODE = {"number_unknown": "number", "number_other": "number", "document": "document"}


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    """What waits to be wiped and what the law keeps, by reference: no number stands here."""
    now, holders = hand(request), _holders(request)
    administers = {each.pk for each in standing.mine(request).administers}
    page = {
        "waiting": [
            (each, each.on is None and each.shredding.asked_by_id != now["by"].pk)
            for each in queries.of_holders(holders, now["at"])
        ],
        "kept": [
            (each, each.holder.pk in administers) for each in queries.kept_by(holders, now["at"])
        ],
        "may_hold": bool(administers),
    }
    return render(request, "desk/wiping.html", page)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The first hand."""
    now, holders = hand(request), _holders(request)
    form = AskWipeForm(request.POST or None, user=now["by"], holders=holders)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            shredding.ask(
                holder=_chosen(holders, form.cleaned_data["holder"]),
                number=form.cleaned_data["number"],
                why=form.cleaned_data["why"],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("Asked. Nothing happens until somebody else agrees."))
            return redirect("desk:wiping")
    page = {"form": form, "days": queries.delay().days}
    return render(request, "desk/wipe_ask.html", page, status=status)


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, ref: str) -> HttpResponse:
    """The second hand."""
    now, found = hand(request), _mine(request, ref)
    form = AgreeWipeForm(request.POST or None, user=now["by"])
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            shredding.agree(shredding=found, number=form.cleaned_data["number"], **now)
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(
                request, _("Agreed. Until the day that is shown it can be called off.")
            )
            return redirect("desk:wiping")
    page = {
        "form": form,
        "shredding": found,
        "why": queries.why(found),
        "days": queries.delay().days,
    }
    return render(request, "desk/wipe_agree.html", page, status=status)


@require_POST
def call_off(request: HttpRequest, ref: str) -> HttpResponse:
    shredding.call_off(shredding=_mine(request, ref), **hand(request))
    messages.success(request, _("Called off. Nothing is wiped."))
    return redirect("desk:wiping")


@require_http_methods(["GET", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    now, holders = hand(request), standing.mine(request).administers
    if not holders:
        raise PermissionDenied
    form = HoldForm(request.POST or None, user=now["by"], holders=holders)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            holds.place(
                holder=_chosen(holders, form.cleaned_data["holder"]),
                number=form.cleaned_data["number"],
                ground=HoldGround(form.cleaned_data["ground"]),
                document=form.cleaned_data["document"],
                ends=form.until(),
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("The hold stands. Nothing of this record is wiped."))
            return redirect("desk:wiping")
    return render(request, "desk/hold_place.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found = get_object_or_404(
        queries.holds_in_force(now["at"]),
        ref=ref,
        subject__holder__in=standing.mine(request).administers,
    )
    form = ProveAgainForm(request.POST or None, user=now["by"])
    if request.method == "POST" and form.is_valid():
        holds.lift(hold=found, **now)
        messages.success(request, _("The hold has ended."))
        return redirect("desk:wiping")
    page = {"form": form, "hold": found, "document": queries.document(found)}
    return render(request, "desk/hold_lift.html", page)


def _holders(request: HttpRequest) -> list[Organisation]:
    """Where whoever is at the desk has a hand in wiping. Raises PermissionDenied where nowhere."""
    mine = standing.mine(request)
    found = {each.pk: each for each in [*mine.advises, *mine.administers]}
    if not found:
        raise PermissionDenied
    return sorted(found.values(), key=lambda each: each.name)


def _mine(request: HttpRequest, ref: str) -> Shredding:
    """One that waits, at an organisation where whoever is at the desk has a hand."""
    found = queries.open_ones().filter(subject__holder__in=_holders(request), ref=ref).first()
    if found is None:
        raise Http404
    return found


def _chosen(holders: list[Organisation], ref: str) -> Organisation:
    return next(each for each in holders if each.ref == ref)


def _told(form: ProveAgainForm, refusal: RuleBroken | BadInput) -> int:
    where = BY_CODE.get(refusal.code) or (getattr(refusal, "where", "") or None)
    form.add_error(where if where in form.fields else None, refusal.told)
    return 400 if isinstance(refusal, BadInput) else 409
