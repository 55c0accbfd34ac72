"""Her paper: codes that get her back in, and one that shuts the way in. Shown once."""

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import survivors
from governance.models import User
from portal import again, attempts, offers
from portal.forms import ShutCode
from portal.views.sharing import her

PAPER = "paper"


def make(request: HttpRequest, user: User) -> None:
    """New codes; they wait sealed in this session until she has written them down."""
    made = survivors.make_paper(by=user, at=timezone.now(), via=Via.PORTAL)
    offers.keep(request, PAPER, json.dumps({"back_in": made.back_in, "shut": made.shut}))


@require_http_methods(["GET", "POST"])
def paper(request: HttpRequest) -> HttpResponse:
    """Shown until she says that she has them, or the session ends; then never again."""
    waiting = offers.kept(request, PAPER)
    if request.method == "POST" or not waiting:
        offers.drop(request, PAPER)
        return redirect("portal:home")
    shown: dict[str, Any] = json.loads(waiting)
    address = request.build_absolute_uri(reverse("portal:shut"))
    return render(request, "portal/paper.html", {**shown, "address": address})


@require_http_methods(["GET", "POST"])
@again.first
def anew(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return render(request, "portal/paper_anew.html")
    make(request, her(request))
    return redirect("portal:paper")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_not_required
def shut(request: HttpRequest) -> HttpResponse:
    """Whoever has the code shuts the way in, from any device."""
    form = ShutCode(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/shut.html", {"form": form})
    if not attempts.take_code(request):
        return render(request, "portal/shut.html", {"form": form, "wrong": "tries"}, status=429)
    try:
        survivors.shut_by_paper(code=form.cleaned_data["code"], at=timezone.now(), via=Via.PORTAL)
    except (RuleBroken, BadInput):  # also signs that no code has
        attempts.failed(request, "")
        return render(request, "portal/shut.html", {"form": form, "wrong": "code"})
    return render(request, "portal/shut_done.html")
