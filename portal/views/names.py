"""Showing names for five minutes, after the secret words once more."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from governance.models import User
from portal import attempts, places
from portal.forms import Names


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = Names(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return render(request, "portal/names.html", {"form": form})
    wrong = "credentials"
    if form.is_valid():
        if attempts.take(request, request.user.username):
            if request.user.check_password(form.cleaned_data["passphrase"]):
                attempts.forget(request, request.user.username)
                places.show_names(request)
                return redirect("portal:home")
        else:
            wrong = "attempts"
        attempts.failed(request, request.user.username)
    status = 429 if wrong == "attempts" else 200
    return render(request, "portal/names.html", {"form": form, "wrong": wrong}, status=status)


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    places.hide_names(request)
    return redirect("portal:home")
