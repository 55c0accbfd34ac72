"""The second thing: shown at sign-in where she has one, and set up or taken away in her settings."""

from collections.abc import Callable

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import survivors
from governance.models import User
from governance.queries.sittings import KEY
from portal import again, attempts, second
from portal.second_forms import NewApp, Passkey, SecondCode
from portal.views.arriving import LOST_SHOWN, lost_by
from portal.views.entry import BACKEND, with_language
from portal.views.sharing import her

Shown = Callable[[int | None], HttpResponse]


@sensitive_post_parameters("code", "answer")
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    """Her words were right. A code of her app, her passkey, or one code of her paper; then she is in.

    Whoever has not typed them is sent to where that is done, by whatever method.
    """
    user = None if request.user.is_authenticated else second.half_in(request)
    if user is None:
        return redirect("portal:sign_in")

    def enter(_shown: int | None) -> HttpResponse:
        request.session.flush()
        auth.login(request, user, backend=BACKEND)
        return with_language(request, redirect("portal:home"), user)

    return _asked(request, user, enter, paper=True)


@sensitive_post_parameters("code", "answer")
@require_http_methods(["GET", "POST"])
@login_not_required
def lost(request: HttpRequest) -> HttpResponse:
    """On her way to new words with a code of her paper: here a second one does not count."""
    user = lost_by(request)
    if user is None:
        return redirect("portal:lost")

    def go_on(shown: int | None) -> HttpResponse:
        request.session[LOST_SHOWN] = shown
        return redirect("portal:lost_words")

    return _asked(request, user, go_on, paper=False)


def _asked(request: HttpRequest, user: User, done: Shown, *, paper: bool) -> HttpResponse:
    """The page that asks, or what follows where the right thing is shown."""
    has = second.kinds(user)
    if not has.any:  # taken away meanwhile, from another device
        return done(None) if paper else redirect("portal:lost_words")
    code = SecondCode(request.POST if "code" in request.POST else None, app=has.app, paper=paper)
    key = Passkey(request.POST if "answer" in request.POST else None)
    wrong = ""
    if request.method == "POST":
        wrong = "form"
        if code.is_valid() or key.is_valid():
            wrong, shown = _look(request, user, code if code.is_bound else key, paper)
            if not wrong:
                attempts.forget(request, user.username)
                return done(shown)
    asked = second.ask_passkey(user) if has.passkeys else None
    page = {"form": code, "has": has, "asked": asked, "paper": paper, "wrong": wrong}
    status = 429 if wrong in {"attempts", "app"} else 200
    return render(request, "portal/second.html", page, status=status)


def _look(
    request: HttpRequest, user: User, form: SecondCode | Passkey, paper: bool
) -> tuple[str, int | None]:
    """What was wrong, or nothing and the number of what was shown; a code of her paper has none.

    Counted with her words, by name and address together: right words alone forget nothing.
    """
    wrong, shown = "code", None
    if not attempts.take(request, user.username):
        wrong = "attempts"
    elif isinstance(form, Passkey):
        shown = second.passkey(user, form.cleaned_data["answer"])
    elif form.of_app:
        if attempts.take_app_code(user):
            shown = second.app_code(user, form.cleaned_data["code"])
        else:
            wrong = "app"
    elif paper and _paper(user, form.cleaned_data["code"]):
        return "", None
    if shown is not None:
        return "", shown
    attempts.failed(request, user.username)
    return wrong, None


def _paper(user: User, code: str) -> bool:
    try:
        survivors.show_paper(code=code, by=user, at=timezone.now(), via=Via.PORTAL)
    except (RuleBroken, BadInput):
        return False
    return True


# --- her settings ---------------------------------------------------------------------------------


@again.first
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """What her sign-in asks for besides her words, and what she may add."""
    has = second.kinds(her(request))
    page = {"found": second.of(her(request)), "has": has, "most": second.MOST_PASSKEYS}
    return render(request, "portal/seconds.html", page)


@require_http_methods(["GET", "POST"])
@again.first
def app(request: HttpRequest) -> HttpResponse:
    """Set up an app that shows codes: it works without JavaScript."""
    if second.kinds(her(request)).app:
        return redirect("portal:seconds")
    secret = second.drafted(request)
    form = NewApp(request.POST if request.method == "POST" else None, secret=secret)
    if request.method == "POST" and form.is_valid():
        kept = second.keep_app(request, her(request), secret, form.cleaned_data["code"])
        return _goes_on(request, kept)
    page = {"form": form, **second.drawn(her(request), secret)}
    return render(request, "portal/second_app.html", page)


@require_http_methods(["GET", "POST"])
@again.first
def passkey(request: HttpRequest) -> HttpResponse:
    """Set up a passkey: it needs a newer device, and JavaScript."""
    if second.kinds(her(request)).passkeys >= second.MOST_PASSKEYS:
        return redirect("portal:seconds")
    form = Passkey(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        kept = second.keep_passkey(her(request), form.cleaned_data["answer"])
        if kept is not None:
            return _goes_on(request, kept)
    page = {"form": form, "asked": second.offer_passkey(her(request)), "wrong": form.is_bound}
    return render(request, "portal/second_passkey.html", page)


@require_POST
@again.before("portal:seconds")
def off(request: HttpRequest, number: int) -> HttpResponse:
    """One of hers is asked for no more; somebody else's is nowhere."""
    if not second.take_away(her(request), number):
        raise Http404
    return redirect("portal:seconds")


def _goes_on(request: HttpRequest, kept: User | None) -> HttpResponse:
    """This device goes on, as a new sitting; every other one is signed out."""
    if kept is not None:
        request.session.pop(KEY, None)
        auth.update_session_auth_hash(request, kept)
    return redirect("portal:seconds")
