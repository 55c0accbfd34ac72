"""Signing in: name and password, then always a second factor."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from desk import provider, second_factor
from desk.forms.signin import CodeForm, DeviceForm, ProveAgainForm, SignInForm
from desk.hand import hand
from governance.actions import people
from governance.models import User


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "desk/sign_in.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return provider.may_leave(super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "provider": settings.OIDC_NAME}


class Code(AuthenticateView):
    form_class = CodeForm
    template_name = "desk/code.html"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("account_login")


@require_http_methods(["GET", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """Set up the device that shows codes: the first time, or in place of a former one."""
    assert isinstance(request.user, User)
    if second_factor.enrolled(request) and not second_factor.may(request, second_factor.REPLACE):
        return redirect("desk:home")
    secret = second_factor.drafted(request)
    form = DeviceForm(request.POST or None, user=request.user, secret=secret)
    if request.method == "POST" and form.is_valid():
        if _keep(request, request.user, form.secret, form.cleaned_data["code"]):
            return redirect("desk:recovery-codes")
        return redirect("desk:home")
    page = {"form": form, **second_factor.drawn(request.user.username, secret)}
    return render(request, "desk/device.html", page)


def _keep(request: HttpRequest, user: User, secret: str, code: str) -> bool:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two sendings of one form: one device
        if second_factor.enrolled(request) and not second_factor.may(
            request, second_factor.REPLACE
        ):
            return False
        kept = second_factor.keep(user, secret, code)
        people.note_second_factor(user=user, **hand(request))
    request.session.pop(second_factor.DRAFT, None)
    second_factor.done(request, second_factor.REPLACE)
    request.session.cycle_key()
    post_authentication(request, kept)
    return True


@require_GET
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """The codes for a lost device: shown once, then never again."""
    kept = Authenticator.objects.filter(
        user_id=request.user.pk, type=Authenticator.Type.RECOVERY_CODES
    ).first()
    codes: list[str] = []
    left = 0
    if kept is not None:
        wrapped: Any = kept.wrap()
        left = len(wrapped.get_unused_codes())
        if not wrapped.did_view:
            wrapped.mark_as_viewed()
            codes = wrapped.get_unused_codes()
    return render(request, "desk/recovery_codes.html", {"codes": codes, "left": left})


@require_http_methods(["GET", "POST"])
def replace_device(request: HttpRequest) -> HttpResponse:
    """Password and code once more; then a new device takes the place of the former."""
    form = ProveAgainForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        second_factor.allow(request, second_factor.REPLACE)
        return redirect("mfa_activate_totp")
    return render(request, "desk/replace_device.html", {"form": form})
