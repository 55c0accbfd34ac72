"""Coming in, going out, and what can be read before either."""

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.models import User
from governance.vocabulary import UserKind
from portal import attempts, second
from portal.forms import SignIn
from portal.middleware import for_anyone

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
@login_not_required
def start(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/start.html")


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    """One failure in the same words whatever was wrong, also for staff who come to this door."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    form = SignIn(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return render(request, "portal/sign_in.html", {"form": form})
    wrong = "credentials"
    if form.is_valid():
        name = form.cleaned_data["name"]
        if attempts.take(request, name):
            user = _whose(request, name, form.cleaned_data["passphrase"])
            if user is not None:
                if second.kinds(user).any:
                    second.begin(request, user)
                    return with_language(request, redirect("portal:second"), user)
                attempts.forget(request, name)
                auth.login(request, user, backend=BACKEND)
                return with_language(request, redirect("portal:home"), user)
        else:
            wrong = "attempts"
        attempts.failed(request, name)
    status = 429 if wrong == "attempts" else 200
    return render(request, "portal/sign_in.html", {"form": form, "wrong": wrong}, status=status)


def _whose(request: HttpRequest, name: str, words: str) -> User | None:
    """The survivor with this name, in capitals or not, and these words. One backend, so that every
    failure costs exactly one hash and takes the same time."""
    known = User.objects.filter(username__iexact=name.strip()).values_list("username", flat=True)
    user = ModelBackend().authenticate(request, username=known.first() or name, password=words)
    if not isinstance(user, User) or user.kind != UserKind.SURVIVOR or user.shut_at is not None:
        return None
    return user


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("portal:start")


@csrf_exempt  # its only effect is a sign-out, and it must work from a page left open for hours
@require_POST
@for_anyone
def leave(request: HttpRequest) -> HttpResponse:
    """End the session here, on the server, and go somewhere neutral. No JavaScript takes part."""
    auth.logout(request)
    response = HttpResponseRedirect(settings.LEAVE_URL)
    response.status_code = 303
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    for name in (
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
    ):
        response.delete_cookie(name)
    return response


@require_GET
@for_anyone
def language(request: HttpRequest, code: str) -> HttpResponse:
    """A link on every page, so that it works in a language one cannot read."""
    if code not in dict(settings.LANGUAGES):
        raise Http404
    there = request.GET.get("next", "")
    if not there.startswith("/") or not url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        there = "/"
    return remember_language(HttpResponseRedirect(there), code)


def with_language(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    """Her own language, unless she chose another on this device just now.

    The site's first language is also what every account begins with, so it says nothing of her: her
    browser decides then.
    """
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    if chosen or user.language == settings.LANGUAGE_CODE:
        return response
    return remember_language(response, user.language)


def remember_language(response: HttpResponse, code: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
