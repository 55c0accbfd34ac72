"""Showing names for five minutes, after the secret words once more."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from portal import again, places
from portal.forms import Names


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    form = Names(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return render(request, "portal/names.html", {"form": form})
    wrong = again.right(request, form)
    if not wrong:
        places.show_names(request)
        return redirect("portal:home")
    status = 429 if wrong == "attempts" else 200
    return render(request, "portal/names.html", {"form": form, "wrong": wrong}, status=status)


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    places.hide_names(request)
    return redirect("portal:home")
