"""The survivors' door: closed by default, and there is nothing behind it for anybody else."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from governance.vocabulary import UserKind

View = Callable[..., HttpResponse]


def for_anyone(view: View) -> View:
    """Marks the few views that show nothing of anybody, and that every door's pages link to."""
    view.for_anyone = True  # type: ignore[attr-defined]
    view.login_required = False  # type: ignore[attr-defined]
    return view


class SurvivorsDoor:
    """Staff and machines get 404 at every page; who has not signed in is asked to.

    A view is open only where it says so with `login_not_required` or `for_anyone`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or "portal" not in match.app_names or getattr(view, "for_anyone", False):
            return None
        if request.user.is_authenticated:
            if request.user.kind != UserKind.SURVIVOR:
                raise Http404
            return None
        if getattr(view, "login_required", True):
            return redirect("portal:start" if match.url_name == "home" else "portal:sign_in")
        return None
