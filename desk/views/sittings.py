"""Where whoever is at the desk is signed in: look, end one, end the others, end all."""

from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from desk import provider
from desk.hand import hand
from governance.actions import sittings
from governance.queries import sittings as queries
from governance.queries.sittings import KEY


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    page = {
        "places": queries.of(now["by"], now["at"]),
        "here": request.session.get(KEY, ""),
        "provider": settings.OIDC_NAME if settings.OIDC_URL else "",
        "linked": provider.linked(now["by"]),
    }
    return render(request, "desk/places.html", page)


@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found = get_object_or_404(queries.of(now["by"], now["at"]), ref=ref)
    sittings.end(sitting=found, **now)
    messages.success(request, _("Signed out there."))
    return redirect("desk:places")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    sittings.end_others(keep=str(request.session.get(KEY, "")), **hand(request))
    messages.success(request, _("Signed out everywhere else."))
    return redirect("desk:places")


@require_POST
def end_all(request: HttpRequest) -> HttpResponse:
    sittings.end_all(**hand(request))
    auth.logout(request)
    return redirect("account_login")
