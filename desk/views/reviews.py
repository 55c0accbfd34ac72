"""The board's answers: vote, step back, establish what was answered."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from desk.forms.deeds import VoteForm
from desk.hand import hand
from desk.views.requests import file_page
from governance.actions import reviews
from governance.models import AccessRequest, Seat
from governance.queries import boards
from governance.queries import requests as readings
from governance.vocabulary import Vote


def _mine(request: HttpRequest, ref: str) -> tuple[AccessRequest, Seat]:
    """A request I may see, and my own seat on its board; 404 without either."""
    now = hand(request)
    asked = _visible(request, ref)
    seat = get_object_or_404(boards.seats_of(now["by"], now["at"]), board=asked.dataset.board_id)
    return asked, seat


def _visible(request: HttpRequest, ref: str) -> AccessRequest:
    now = hand(request)
    return get_object_or_404(readings.visible_to(now["by"], now["at"]), ref=ref)


@require_POST
def vote(request: HttpRequest, ref: str) -> HttpResponse:
    asked, seat = _mine(request, ref)
    form = VoteForm(request.POST)
    if not form.is_valid():
        return file_page(request, asked, form, status=400)
    reviews.vote(
        request=asked,
        seat=seat,
        vote=Vote(form.cleaned_data["vote"]),
        reason=form.cleaned_data["reason"],
        **hand(request),
    )
    messages.success(request, _("Your vote is recorded."))
    return redirect("desk:request", ref=asked.ref)


@require_POST
def recuse(request: HttpRequest, ref: str) -> HttpResponse:
    asked, seat = _mine(request, ref)
    reviews.recuse(request=asked, seat=seat, **hand(request))
    messages.success(request, _("You have stepped back from this request."))
    return redirect("desk:requests")


@require_POST
def decide(request: HttpRequest, ref: str) -> HttpResponse:
    asked = _visible(request, ref)
    reviews.decide(request=asked, **hand(request))
    messages.success(request, _("The board's answer is established."))
    return redirect("desk:request", ref=asked.ref)
