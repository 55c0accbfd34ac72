"""The first page: what somebody may do here, and what waits for them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from desk import standing
from desk.hand import hand
from governance.queries import arrivals


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    page = {
        "standing": standing.mine(request),
        "untold": arrivals.untold(now["by"]),
        "asked": arrivals.waiting_resets(now["at"]).filter(user=now["by"]).first(),
    }
    return render(request, "desk/home.html", page)
