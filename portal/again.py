"""Her secret words once more, before a page shows or gives what others must not see."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from governance.models import User
from portal import attempts
from portal.forms import Names

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
FOR = 10 * 60
"""Seconds for which her words, typed once more, open her history and her settings."""
KEY = "again_until"


def right(request: HttpRequest, form: Names) -> str:
    """Empty where they are hers; otherwise what was wrong: `credentials`, or too many `attempts`."""
    assert isinstance(request.user, User)
    wrong = "credentials"
    if form.is_valid():
        if attempts.take(request, request.user.username):
            if request.user.check_password(form.cleaned_data["passphrase"]):
                attempts.forget(request, request.user.username)
                said(request)
                return ""
        else:
            wrong = "attempts"
        attempts.failed(request, request.user.username)
    return wrong


def said(request: HttpRequest) -> None:
    """Her words were typed just now."""
    request.session[KEY] = int(time.time()) + FOR


def needed(request: HttpRequest) -> bool:
    return int(request.session.get(KEY, 0)) <= time.time()


def first(view: View[P]) -> View[P]:
    """A page that asks for her words where she has not typed them a short while ago.

    It asks in its own place: a form that comes too late is not carried out, and she sends it anew.
    """
    return before("")(view)


def before(back: str) -> Callable[[View[P]], View[P]]:
    """The same of what only a form asks for; when she has typed her words she is at `back`."""

    def around(view: View[P]) -> View[P]:
        @sensitive_post_parameters()
        @wraps(view)
        def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not needed(request):
                return view(request, *args, **kwargs)
            late = request.method == "POST"
            if not late or "passphrase" not in request.POST:
                return render(request, "portal/again.html", {"form": Names(), "late": late})
            form = Names(request.POST)
            wrong = right(request, form)
            if not wrong:
                return redirect(back or request.get_full_path())
            status = 429 if wrong == "attempts" else 200
            page = {"form": form, "wrong": wrong}
            return render(request, "portal/again.html", page, status=status)

        return asked

    return around
