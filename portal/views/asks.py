"""She is asked to share: she reads, chooses, checks and signs; or says no, or decides later."""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import proposals
from consent.queries import proposals as asks
from consent.rules import QUESTIONS
from consent.vocabulary import ANSWERABLE, Channel
from portal.cards import Ask, ask
from portal.forms import Choice, Signing
from portal.places import names_shown
from portal.views.sharing import her, her_places, her_shared
from release.rules.timing import delete_by

OVER = {"answered", "ran_out", "not_waiting"}


@require_GET
def first(request: HttpRequest, ref: str) -> HttpResponse:
    """Before an ask of police, a prosecutor or an immigration office: what it means, and a lawyer."""
    found = her_ask(request, ref)
    if not found.asked.cautious or not _open(found):
        return redirect("portal:asked", ref)
    return render(request, "portal/asked_first.html", {"ask": found})


@require_GET
def asked(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_ask(request, ref)
    if not _open(found):
        return redirect("portal:asked_done", ref)
    return _read(request, found, Choice(asked=found.asked))


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, ref: str) -> HttpResponse:
    """What she chose, to be looked at once more; nothing is kept of it until she signs."""
    found = her_ask(request, ref)
    if request.method == "GET" or not names_shown(request):
        return redirect("portal:asked", ref)
    if not _open(found):
        return redirect("portal:asked_done", ref)
    choice = Choice(request.POST, asked=found.asked)
    if not choice.is_valid() or not choice.chosen:
        return _read(request, found, choice)
    return _check(request, found, choice, Signing(asked=found.asked, name=her(request).username))


@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_ask(request, ref)
    if request.method == "GET" or not names_shown(request):
        return redirect("portal:asked", ref)
    if not _open(found):
        return redirect("portal:asked_done", ref)
    choice = Choice(request.POST, asked=found.asked)
    if not choice.is_valid() or not choice.chosen:
        return _read(request, found, choice)
    signing = Signing(request.POST, asked=found.asked, name=her(request).username)
    if not signing.is_valid():
        return _check(request, found, choice, signing)
    at = timezone.now()
    try:
        proposals.answer(
            proposal=found.asked.proposal,
            categories=choice.chosen,
            signature=signing.cleaned_data["signature"],
            answers="y" * QUESTIONS,
            channel=Channel.PORTAL,
            ends=at + timedelta(days=choice.days),
            lawyer_offered=bool(signing.cleaned_data.get("lawyer")),
            by=her(request),
            at=at,
            via=Via.PORTAL,
        )
    except RuleBroken as error:
        if error.code not in OVER:
            return _check(request, found, choice, signing, told=error.told)
    return redirect("portal:asked_done", ref)


@require_http_methods(["GET", "POST"])
def no(request: HttpRequest, ref: str) -> HttpResponse:
    found = her_ask(request, ref)
    if not _open(found):
        return redirect("portal:asked_done", ref)
    if request.method == "GET":
        return render(request, "portal/asked_no.html", {"ask": found})
    return _done(request, found, proposals.refuse)


@require_POST
def later(request: HttpRequest, ref: str) -> HttpResponse:
    return _done(request, her_ask(request, ref), proposals.defer)


@require_http_methods(["GET", "POST"])
def now(request: HttpRequest, ref: str) -> HttpResponse:
    """Without the rest of the wait; only here, only by herself."""
    found = her_ask(request, ref)
    if not found.asked.waits:
        return redirect("portal:asked_done", ref)
    if request.method == "GET":
        return render(request, "portal/asked_now.html", {"ask": found})
    return _done(request, found, proposals.waive)


@require_http_methods(["GET", "POST"])
def back(request: HttpRequest, ref: str) -> HttpResponse:
    """She takes a yes back that waits; at once."""
    found = her_ask(request, ref)
    if not found.asked.waits:
        return redirect("portal:asked_done", ref)
    if request.method == "GET":
        return render(request, "portal/asked_back.html", {"ask": found})
    return _done(request, found, proposals.cancel)


@require_GET
def done(request: HttpRequest, ref: str) -> HttpResponse:
    """How it stands now, whatever was pressed, and however often."""
    found = her_ask(request, ref)
    context = {"ask": found, "open": _open(found), "named": names_shown(request)}
    return render(request, "portal/asked_done.html", context)


def her_ask(request: HttpRequest, ref: str) -> Ask:
    """One of hers. What is somebody else's is not found, in the same words as what is nowhere."""
    found = asks.one(her(request), ref)
    if found is None:
        raise Http404
    return ask(found, her_places(request, her_shared(request)))


def _open(found: Ask) -> bool:
    proposal = found.asked.proposal
    return proposal.state in ANSWERABLE and proposal.answer_by > timezone.now()


def _done(request: HttpRequest, found: Ask, deed: object) -> HttpResponse:
    assert callable(deed)
    try:
        deed(proposal=found.asked.proposal, by=her(request), at=timezone.now(), via=Via.PORTAL)
    except RuleBroken as error:
        if error.code not in OVER:  # sent twice: the first one did it
            page = {"ask": found, "told": error.told}
            return render(request, "portal/asked_done.html", page, status=409)
    return redirect("portal:asked_done", found.ref)


def _read(request: HttpRequest, found: Ask, choice: Choice) -> HttpResponse:
    nothing = choice.is_bound and choice.is_valid() and not choice.chosen
    context = {"ask": found, "form": choice, "named": names_shown(request), "nothing": nothing}
    return render(request, "portal/asked.html", context)


def _check(
    request: HttpRequest, found: Ask, choice: Choice, signing: Signing, told: str = ""
) -> HttpResponse:
    until = timezone.now() + timedelta(days=choice.days)
    context = {
        "ask": found,
        "choice": choice,
        "form": signing,
        "until": until,
        "delete_by": delete_by(until, found.kept_until),
        "told": told,
    }
    return render(request, "portal/asked_check.html", context)
