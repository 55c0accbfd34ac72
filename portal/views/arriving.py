"""Coming in with a code: a made-up name, secret words, a paper. And coming in again without words.

Nothing of it stands in an address: what she has typed so far waits sealed in the session.
"""

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import enrolment, survivors
from consent.models import EnrolmentCode
from consent.queries import enrolment as queries
from consent.vocabulary import CodeKind
from governance.models import User
from governance.queries import sittings
from governance.vocabulary import PaperUse
from portal import attempts, offers, second
from portal.forms import BackIn, Code, MadeUpName
from portal.views import papers, words
from portal.views.entry import BACKEND, with_language

CODE, NAMES, NAME = "coming_code", "coming_names", "coming_name"
LOST_NAME, LOST_CODE, LOST_SHOWN = "lost_name", "lost_code", "lost_shown"


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_not_required
def begin(request: HttpRequest) -> HttpResponse:
    """The code. Whatever is wrong with one, the page says the same."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    form = Code(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/begin.html", {"form": form})
    if not attempts.take_code(request):
        return render(request, "portal/begin.html", {"form": form, "wrong": "tries"}, status=429)
    at = timezone.now()
    found = queries.code(form.cleaned_data["code"], at)
    if found is None:
        attempts.failed(request, "")
        return render(request, "portal/begin.html", {"form": form, "wrong": "code"})
    if found.opens_at > at:
        page = {"form": form, "wrong": "early", "opens": found.opens_at}
        return render(request, "portal/begin.html", page)
    offers.drop(request, NAMES, NAME, words.OFFERED)
    offers.keep(request, CODE, form.cleaned_data["code"])
    return redirect(
        "portal:choose_name" if found.kind == CodeKind.ARRIVAL else "portal:first_words"
    )


@require_http_methods(["GET", "POST"])
@login_not_required
def name(request: HttpRequest) -> HttpResponse:
    """One of the names on offer, or others."""
    found = _coming(request)
    if found is None or found.kind != CodeKind.ARRIVAL:
        return redirect("portal:begin")
    if NAMES not in request.session or "others" in request.POST:
        request.session[NAMES] = offers.names()
        form = MadeUpName(offered=request.session[NAMES])
        return render(request, "portal/name.html", {"form": form})
    posted = request.POST if request.method == "POST" else None
    form = MadeUpName(posted, offered=request.session[NAMES])
    if posted is not None and form.is_valid():
        request.session[NAME] = form.cleaned_data["name"]
        return redirect("portal:first_words")
    taken = request.method == "GET" and request.session.pop("name_taken", False)
    return render(request, "portal/name.html", {"form": form, "taken": taken})


@sensitive_post_parameters("typed", "password", "again")
@require_http_methods(["GET", "POST"])
@login_not_required
def first_words(request: HttpRequest) -> HttpResponse:
    """Her words; with them the sign-in is made, or set anew, and she is in."""
    found = _coming(request)
    if found is None:
        return redirect("portal:begin")
    arrival, chosen = found.kind == CodeKind.ARRIVAL, str(request.session.get(NAME, ""))
    if arrival and not chosen:
        return redirect("portal:choose_name")
    step = words.step(request)
    if not step.chosen:
        return step.page(first=True, arrival=arrival)
    code, at = offers.kept(request, CODE), timezone.now()
    try:
        if arrival:
            user = enrolment.redeem(
                code=code,
                username=chosen,
                password=step.chosen,
                language=offers.language(),
                at=at,
                via=Via.PORTAL,
            )
        else:
            user = enrolment.recover(code=code, password=step.chosen, at=at, via=Via.PORTAL)
    except BadInput:
        return step.weak(first=True, arrival=arrival)
    except RuleBroken as refusal:
        if refusal.code == "username_taken":
            request.session[NAMES], request.session["name_taken"] = offers.names(), True
            return redirect("portal:choose_name")
        offers.drop(request, CODE)
        return redirect("portal:begin")
    return _enter(request, user)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_not_required
def lost(request: HttpRequest) -> HttpResponse:
    """She has lost her words: her name and one code of her paper."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    form = BackIn(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/lost.html", {"form": form})
    typed, code = form.cleaned_data["name"], form.cleaned_data["code"]
    if not attempts.take_code(request):
        return render(request, "portal/lost.html", {"form": form, "wrong": "tries"}, status=429)
    her = whose(typed, code)
    if her is None:
        attempts.failed(request, typed)
        return render(request, "portal/lost.html", {"form": form, "wrong": "code"})
    offers.drop(request, words.OFFERED, LOST_SHOWN)
    offers.keep(request, LOST_NAME, typed)
    offers.keep(request, LOST_CODE, code)
    return redirect("portal:lost_second" if second.kinds(her).any else "portal:lost_words")


@sensitive_post_parameters("typed", "password", "again")
@require_http_methods(["GET", "POST"])
@login_not_required
def lost_words(request: HttpRequest) -> HttpResponse:
    """New words in place of those she lost."""
    her = lost_by(request)
    if her is None:
        return redirect("portal:lost")
    if second.kinds(her).any and LOST_SHOWN not in request.session:
        return redirect("portal:lost_second")
    step = words.step(request)
    if not step.chosen:
        return step.page()
    try:
        user = survivors.come_back(
            username=offers.kept(request, LOST_NAME),
            code=offers.kept(request, LOST_CODE),
            password=step.chosen,
            shown=request.session.get(LOST_SHOWN),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except BadInput:
        return step.weak()
    except RuleBroken:
        return redirect("portal:lost")
    return _enter(request, user, paper=False)


def lost_by(request: HttpRequest) -> User | None:
    """Who is on her way back in with a code of her paper, where it still fits her name."""
    if request.user.is_authenticated:
        return None
    return whose(offers.kept(request, LOST_NAME), offers.kept(request, LOST_CODE))


def whose(typed: str, code: str) -> User | None:
    """Whom this code gets back in at this moment, where this is her name."""
    found = sittings.paper(code, PaperUse.BACK_IN) if code else None
    if found is None or found.user.shut_at is not None:
        return None
    return found.user if found.user.username.casefold() == typed.strip().casefold() else None


def _coming(request: HttpRequest) -> EnrolmentCode | None:
    """The code with which somebody is on her way in, where it still opens."""
    code = offers.kept(request, CODE)
    if not code or request.user.is_authenticated:
        return None
    at = timezone.now()
    found = queries.code(code, at)
    return found if found is not None and found.opens_at <= at else None


def _enter(request: HttpRequest, user: User, *, paper: bool = True) -> HttpResponse:
    """Signed in, in a session that is new: whoever knew the one before knows nothing."""
    request.session.flush()
    auth.login(request, user, backend=BACKEND)
    if paper:
        papers.make(request, user)
        return with_language(request, redirect("portal:paper"), user)
    return redirect("portal:home")
