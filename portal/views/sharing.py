"""What she shares, stopping and pausing it."""

from collections.abc import Sequence
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import consents
from consent.queries import hiding, proposals, sharing, shredding, speaking
from governance.models import User
from portal.cards import Card, ask, card, others
from portal.forms import Change, Pause
from portal.places import Places, names_shown
from release.queries import uses
from release.queries.uses import Met


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    shared = her_shared(request)
    places = her_places(request, shared)
    cards = sorted((card(one, places) for one in shared), key=lambda one: one.place.number)
    last = uses.last_picked_up(her(request))
    waiting, kept = shredding.of_account(her(request), timezone.now())
    return render(
        request,
        "portal/home.html",
        {
            "asks": [ask(one, places) for one in proposals.of(her(request), timezone.now())],
            "waiting": waiting,
            "speaking": [others(each) for each in speaking.of(her(request), timezone.now())],
            "kept": kept,
            "running": [(one, last.get(one.ref)) for one in cards if one.running],
            "ended": [(one, last.get(one.ref)) for one in cards if not one.running],
            "on": len({one.place.number for one in cards if one.look == "on"}),
            "named": names_shown(request),
            "some": bool(hiding.recipients(her(request))),
        },
    )


@require_GET
def details(request: HttpRequest, ref: str) -> HttpResponse:
    context = {"card": her_card(request, ref), "named": names_shown(request)}
    return render(request, "portal/details.html", context)


@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_card(request, ref)
    if not found.running:
        return redirect("portal:done", ref)
    if request.method == "GET":
        return render(request, "portal/stop.html", {"card": found})
    try:
        consents.withdraw(
            consent=found.sharing.consent, by=her(request), at=timezone.now(), via=Via.PORTAL
        )
    except RuleBroken as error:
        if error.code != "already_ended":  # sent twice: the first one did it
            raise
    return redirect("portal:done", ref)


@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_card(request, ref)
    if not found.can_pause:
        return redirect("portal:done", ref)
    form = Pause(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/pause.html", {"card": found, "form": form})
    at, chosen = timezone.now(), form.cleaned_data["until"]
    until = None if chosen == Pause.FOREVER else at + timedelta(days=int(chosen))
    try:
        consents.pause(
            consent=found.sharing.consent, by=her(request), at=at, via=Via.PORTAL, until=until
        )
    except RuleBroken as error:
        if error.code not in {"already_paused", "pause_shorter", "already_ended"}:
            raise
    return redirect("portal:done", ref)


@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_card(request, ref)
    if not found.can_resume:
        return redirect("portal:done", ref)
    if request.method == "GET":
        return render(request, "portal/resume.html", {"card": found})
    try:
        consents.resume(
            consent=found.sharing.consent, by=her(request), at=timezone.now(), via=Via.PORTAL
        )
    except RuleBroken as error:
        if error.code not in {"not_paused", "already_ended"}:
            raise
    return redirect("portal:done", ref)


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, ref: str) -> HttpResponse:
    """Less of it, or not so long: at once. What she opened may have ended before she presses."""
    found = her_card(request, ref)
    if not found.running:
        if request.method == "POST":
            page = {"card": found, "gone": True}
            return render(request, "portal/change.html", page, status=409)
        return redirect("portal:done", ref)
    at = timezone.now()
    form = Change(request.POST if request.method == "POST" else None, card=found, at=at)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/change.html", {"card": found, "form": form})
    try:
        less = consents.narrow(
            consent=found.sharing.consent,
            categories=form.kept,
            ends=form.ends,
            by=her(request),
            at=at,
            via=Via.PORTAL,
        )
    except RuleBroken as error:
        gone = error.code == "already_ended"
        page = {"card": found, "form": form, "gone": gone, "less": error.code == "not_less"}
        return render(request, "portal/change.html", page, status=409 if gone else 200)
    return redirect("portal:done", less.ref)


@require_GET
def done(request: HttpRequest, ref: str) -> HttpResponse:
    """How it stands now, whatever was pressed, and however often."""
    return render(request, "portal/done.html", {"card": her_card(request, ref)})


def her(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def her_shared(request: HttpRequest) -> list[sharing.Sharing]:
    """What she shares or shared, but for what she has hidden from her pages."""
    hidden = hiding.recipients(her(request))
    found = sharing.of(her(request), timezone.now())
    return [each for each in found if each.recipient.pk not in hidden]


def her_cards(request: HttpRequest) -> list[Card]:
    shared = her_shared(request)
    places = her_places(request, shared)
    return [card(one, places) for one in shared]


def her_card(request: HttpRequest, ref: str) -> Card:
    """One of hers. What is somebody else's is not found, in the same words as what is nowhere."""
    for one in her_cards(request):
        if one.ref == ref:
            return one
    raise Http404


def her_places(
    request: HttpRequest,
    shared: list[sharing.Sharing],
    met: Sequence[Met] = (),
) -> Places:
    first_met = sorted(shared, key=lambda one: one.consent.pk)
    later = sorted(met, key=lambda one: one.at)
    asked = proposals.recipients(her(request))
    return Places(
        [*(one.recipient for one in first_met), *asked, *(one.recipient for one in later)],
        named=names_shown(request),
    )
