"""Where what Sayso raises on purpose becomes a page, once for all server-rendered doors.

The machines' door has its own answers. Pages for survivors say what happened in fixed words; only
staff read the refusal's own sentence.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from common.errors import BadInput, NotReady, RuleBroken, SaysoError, Void
from config.pages import page

STATUS: dict[type[SaysoError], int] = {BadInput: 400, RuleBroken: 409, Void: 410, NotReady: 503}
RETRY_AFTER = "30"  # seconds


class PlainErrors:
    """Answers a refusal that a view let pass with the page of its kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, SaysoError):
            return None
        status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
        told = error.message if door(request) == "desk" else ""
        response = answer(request, status, told)
        if status == 503:
            response["Retry-After"] = RETRY_AFTER
        return response


def door(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.app_names[0] if match and match.app_names else ""


def answer(request: HttpRequest, status: int, told: str = "") -> HttpResponse:
    return render(request, f"errors/{status}.html", {"told": told}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One body whatever was refused: a reason could tell what is there."""
    return answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One body whether a thing is somebody else's or nowhere."""
    return answer(request, 404)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: mostly a page left open too long."""
    return render(request, "errors/form_too_old.html", status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """Asks neither the session nor the database: one of them may be what failed."""
    return HttpResponse(render_to_string("errors/500.html", page(None)), status=500)
