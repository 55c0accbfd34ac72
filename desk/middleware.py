"""The desk is closed by default: staff only, and only with a second factor in this session."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from desk import second_factor
from governance.models import User
from governance.vocabulary import UserKind

# Each with its reason; tests/integration/test_desk_door.py holds the lists to it.
OPEN = {
    "account_login",  # where a person says who they are
    "mfa_authenticate",  # where they show the second factor; allauth demands the password first
    "desk-provider",  # the way to the organisation's own sign-in
    "desk-provider-back",  # and back from it; the library demands that this session asked
    "account_logout",  # ending a session needs nothing
    "desk-language",  # reading needs no name
    "desk-invited",  # where somebody new shows the code of an invitation
    "desk-invited-account",  # needs that code in this session
    "desk-anew",  # where somebody shows the two halves of a code
    "desk-anew-set",  # needs both halves in this session
}
ENROLMENT = {"mfa_activate_totp"}  # needs a password typed a short while ago, and no device yet


class SecondFactorMiddleware:
    """Lets nothing at the desk be seen before the second factor, and nothing be kept by a browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if at_desk(request):
            response.headers["Cache-Control"] = "no-store"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not at_desk(request):
            return None
        if request.user.is_authenticated and not _staff(request.user):
            raise Http404
        assert request.resolver_match is not None
        name = request.resolver_match.view_name
        if name in OPEN:
            return None
        if not request.user.is_authenticated:
            return redirect("account_login")
        if second_factor.passed(request):
            return None
        if second_factor.may_enrol(request):
            return None if name in ENROLMENT else redirect("mfa_activate_totp")
        logout(request)  # half a sign-in is none
        return redirect("account_login")


def at_desk(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("desk:home"))


def _staff(user: Any) -> bool:
    return isinstance(user, User) and user.kind == UserKind.STAFF
