"""Where what Sayso raises on purpose, and what Django refuses, becomes a page or a plain answer.

Each door has its own frame: survivors keep theirs with the way out, wherever they go; staff have the
desk's; whoever is nobody here, or comes to no door, gets a page that tells nothing. Pages for
survivors say what happened in fixed words; only staff read the refusal's own sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.errors import outside
from common.errors import BadInput, NotReady, RuleBroken, SaysoError, Void
from config.pages import page
from governance.vocabulary import UserKind

STATUS: dict[type[SaysoError], int] = {BadInput: 400, RuleBroken: 409, Void: 410, NotReady: 503}
RETRY_AFTER = "30"  # seconds
DESK, API = "/desk/", "/api/"


@dataclass(frozen=True)
class Words:
    """What one error says: its title, and a sentence for her and one for staff."""

    title: Promise
    hers: Promise
    staffs: Promise


FORM_TOO_OLD = "form_too_old"
WORDS: dict[int | str, Words] = {
    400: Words(
        _("Something was missing"),
        _("This page could not read what was sent. Please go back and try again."),
        _("What was sent cannot be read. Nothing was changed."),
    ),
    403: Words(
        _("Not for this sign-in"),
        _("You cannot do this here."),
        _("Your role does not allow this. Ask an administrator of your organisation."),
    ),
    404: Words(
        _("Nothing here"),
        _("There is no such page for you."),
        _("There is no such page for you."),
    ),
    405: Words(
        _("Only by a button"),
        _("This page opens only by its button. Nothing was changed. Please go to the first page."),
        _("This address answers a button only. Nothing was changed. Go to the overview."),
    ),
    409: Words(
        _("Not possible now"),
        _("This is not possible any more, or not yet. Please go back and look again."),
        _("This is not possible any more, or not yet. Nothing was changed."),
    ),
    410: Words(
        _("Not there any more"),
        _("What was here may no longer be picked up."),
        _("What was here may no longer be picked up."),
    ),
    500: Words(
        _("Something went wrong here"),
        _("It is not your fault. Please try again later, or talk to the person who helps you."),
        _("It is not your fault. Try again later, or tell whoever runs this service."),
    ),
    503: Words(
        _("Not right now"),
        _("This cannot be done at this moment. Nothing was changed. Please try again in a minute."),
        _("This cannot be done at this moment. Nothing was changed. Try again in a minute."),
    ),
    FORM_TOO_OLD: Words(
        _("This page was open too long"),
        _("Nothing was changed. Please go to the first page and try again."),
        _("Nothing was changed. Go to the overview and try again."),
    ),
}


class PlainErrors:
    """Answers a refusal that a view let pass with the page of its kind, and says in words that an
    address out of somebody's history is no page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or request.path.startswith(API):
            return response
        in_words = answer(request, 405)
        in_words["Allow"] = response["Allow"]
        return in_words

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, SaysoError):
            return None
        status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
        response = answer(request, status, told=error.told)
        if status == 503:
            response["Retry-After"] = RETRY_AFTER
        return response


def frame(request: HttpRequest, kind: str) -> str:
    """Whose frame an error page has: `portal`, `desk` or `plain`. `kind` is the user's, if any."""
    at_desk = request.path.startswith(DESK)
    if kind == UserKind.SURVIVOR:
        return "portal"
    if at_desk and kind == UserKind.STAFF:
        return "desk"
    if kind or request.resolver_match is None:
        return "plain"
    return "desk" if at_desk else "portal"


def answer(
    request: HttpRequest, status: int, *, words: int | str = 0, told: str = ""
) -> HttpResponse:
    if request.path.startswith(API):
        return outside(status)
    # Where something is wrong with the request as a whole, nobody has been recognised yet.
    kind = getattr(getattr(request, "user", None), "kind", "")
    shown = {"words": WORDS[words or status], "told": told}
    return render(request, f"errors/{frame(request, kind)}.html", shown, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return HttpResponse(
            render_to_string("errors/plain.html", {"words": WORDS[400]}), status=400
        )
    return answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One body whatever was refused: a reason could tell what is there."""
    return answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One body whether a thing is somebody else's or nowhere."""
    return answer(request, 404)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: mostly a page left open too long."""
    return answer(request, 403, words=FORM_TOO_OLD)


def failed(request: HttpRequest) -> HttpResponse:
    """Asks neither the session nor the database: one of them may be what failed."""
    if request.path.startswith(API):
        return outside(500)
    shown = {"words": WORDS[500], **page(None)}
    return HttpResponse(render_to_string(f"errors/{frame(request, '')}.html", shown), status=500)
