"""The first page: what somebody may do here, and what waits for them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from desk import standing


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/home.html", {"standing": standing.mine(request)})
