"""The organisation's own sign-in: to it, back from it, linking it and taking the link away."""

from allauth.core import ratelimit
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from desk import provider, second_factor
from desk.forms.signin import ProveAgainForm
from desk.hand import staff


@require_POST
def go(request: HttpRequest) -> HttpResponse:
    """To sign in."""
    _there_is_one()
    if request.user.is_authenticated:
        return redirect("desk:home")
    if not ratelimit.consume(request, action="login"):
        return provider.refused(request, "tries")
    return provider.go(request, AuthProcess.LOGIN)


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """The provider sends somebody back, with a code that it gives the service a word for."""
    _there_is_one()
    return provider.back(request)


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Password and code once more; then the provider says what it calls this person."""
    _there_is_one()
    form = ProveAgainForm(request.POST or None, user=staff(request))
    if request.method == "POST" and form.is_valid():
        second_factor.allow(request, second_factor.LINK)
        return provider.go(request, AuthProcess.CONNECT)
    page = {"form": form, "provider": settings.OIDC_NAME}
    return provider.may_leave(render(request, "desk/provider.html", page))


@require_POST
def unlink(request: HttpRequest) -> HttpResponse:
    """Also where there is no provider any more."""
    provider.unlink(staff(request))
    messages.success(request, _("You sign in with your password only."))
    return redirect("desk:places")


def _there_is_one() -> None:
    if not settings.OIDC_URL:
        raise Http404
