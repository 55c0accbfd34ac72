"""Coming in with a code: by invitation, or anew. The code waits sealed in the session in between."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from desk import second_factor
from desk.forms.people import (
    AccountForm,
    AnewForm,
    BothAnewForm,
    DeviceAnewForm,
    InvitedForm,
    NewDevice,
    PasswordAnewForm,
)
from desk.hand import hand
from governance.actions import invitations, resets
from governance.models import AccountReset, User
from governance.queries import arrivals
from governance.vocabulary import ResetKind

INVITED, FIRST, SECOND = "desk.invited", "desk.anew.first", "desk.anew.second"
BACKEND = "django.contrib.auth.backends.ModelBackend"
FIELDS = {"username": "name", "username_taken": "name"}
FORMS: dict[str, type[forms.Form]] = {
    ResetKind.PASSWORD: PasswordAnewForm,
    ResetKind.DEVICE: DeviceAnewForm,
    ResetKind.BOTH: BothAnewForm,
}


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def invited(request: HttpRequest) -> HttpResponse:
    """Somebody new shows the code; who is signed in already joins with the account they have."""
    if request.user.is_authenticated:
        return redirect("desk:join")
    form = InvitedForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _slowly(request, form):
        if arrivals.invitation(form.cleaned_data["code"], timezone.now()) is None:
            form.add_error("code", _("This code does not open anything, or not any more."))
        else:
            request.session[INVITED] = get_adapter().encrypt(form.cleaned_data["code"])
            return redirect("desk-invited-account")
    return render(request, "desk/invited.html", {"form": form})


@sensitive_post_parameters("password", "again", "device")
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name, password and device at once: an account without a second factor never stands."""
    code = _kept(request, INVITED)
    invitation = arrivals.invitation(code, timezone.now()) if code else None
    if invitation is None or request.user.is_authenticated:
        return redirect("desk-invited")
    form = AccountForm(request.POST or None)
    form.secret = second_factor.drafted(request)
    if request.method == "POST" and form.is_valid() and _slowly(request, form):
        words = form.cleaned_data
        try:
            with transaction.atomic():
                user = invitations.accept(
                    code=code,
                    username=words["name"],
                    password=words["password"],
                    language=(get_language() or "en").split("-")[0],
                    at=timezone.now(),
                    via=Via.DESK,
                )
                device = second_factor.keep(user, form.secret, words["device"])
        except (RuleBroken, BadInput) as refusal:
            _say(form, refusal)
        else:
            return _enter(request, user, device)
    square = second_factor.drawn(_("new account"), form.secret)
    page = {"form": form, "invitation": invitation, **square}
    return render(request, "desk/invited_account.html", page)


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """A code taken with the account somebody is signed in with."""
    form = InvitedForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _slowly(request, form):
        try:
            found = invitations.join(code=form.cleaned_data["code"], **hand(request))
        except RuleBroken as refusal:
            form.add_error("code", refusal.told)
        else:
            return render(request, "desk/joined.html", {"invitation": found})
    return render(request, "desk/join.html", {"form": form})


@sensitive_post_parameters("first", "second")
@require_http_methods(["GET", "POST"])
def anew(request: HttpRequest) -> HttpResponse:
    """Both halves of the code, each from the person who gave it."""
    form = AnewForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _slowly(request, form):
        first, second = form.cleaned_data["first"], form.cleaned_data["second"]
        if arrivals.reset(first, second, timezone.now()) is None:
            form.add_error(None, _("These two codes do not open anything, or not any more."))
        else:
            request.session[FIRST] = get_adapter().encrypt(first)
            request.session[SECOND] = get_adapter().encrypt(second)
            return redirect("desk-anew-set")
    return render(request, "desk/anew.html", {"form": form})


@sensitive_post_parameters("password", "again", "former", "code", "device")
@require_http_methods(["GET", "POST"])
def set_anew(request: HttpRequest) -> HttpResponse:
    """What was lost is set anew; what is still there is shown."""
    halves = _kept(request, FIRST), _kept(request, SECOND)
    found = arrivals.reset(*halves, timezone.now()) if all(halves) else None
    if found is None:
        return redirect("desk-anew")
    form = FORMS[found.kind](request.POST or None)
    page: dict[str, Any] = {"form": form, "reset": found}
    if isinstance(form, NewDevice):
        form.secret = second_factor.drafted(request)
        page |= second_factor.drawn(found.user.username, form.secret)
    if request.method == "POST" and form.is_valid() and _slowly(request, form):
        try:
            device = _set(form, found, halves)
        except (RuleBroken, BadInput) as refusal:
            _say(form, refusal)
        except forms.ValidationError as wrong:
            form.add_error("code", wrong)
        else:
            if device is not None:
                return _enter(request, User.objects.get(pk=found.user_id), device)
            request.session.flush()
            return redirect("account_login")
    return render(request, "desk/anew_set.html", page)


def _set(form: forms.Form, reset: AccountReset, halves: tuple[str, str]) -> Authenticator | None:
    """Set it; gives the new device where there is one."""
    words = form.cleaned_data
    if reset.kind == ResetKind.PASSWORD:
        shown = AuthenticateForm({"code": words["code"]}, user=reset.user)
        if not shown.is_valid():
            raise forms.ValidationError(list(shown.errors["code"]))
    with transaction.atomic():
        user = resets.use(
            first=halves[0],
            second=halves[1],
            password=words.get("password"),
            former=words.get("former"),
            by=reset.user,
            at=timezone.now(),
            via=Via.DESK,
        )
        if isinstance(form, NewDevice):
            return second_factor.keep(user, form.secret, words["device"])
    return None


def _enter(request: HttpRequest, user: User, device: Authenticator) -> HttpResponse:
    """Signed in with what was set just now; the recovery codes come first."""
    request.session.flush()
    login(request, user, backend=BACKEND)
    record_authentication(request, user, method="password")
    record_authentication(request, user, method="mfa", id=device.pk, type=device.type)
    return redirect("desk:recovery-codes")


def _kept(request: HttpRequest, key: str) -> str:
    kept = request.session.get(key)
    return get_adapter().decrypt(kept) if isinstance(kept, str) else ""


def _slowly(request: HttpRequest, form: forms.Form) -> bool:
    """Whether this address has tries left."""
    if ratelimit.consume(request, action="signup"):
        return True
    form.add_error(None, _("Too many tries. Wait a minute, then try again."))
    return False


def _say(form: forms.Form, refusal: RuleBroken | BadInput) -> None:
    where = refusal.where if isinstance(refusal, BadInput) else refusal.code
    field = FIELDS.get(where, where)
    form.add_error(field if field in form.fields else None, refusal.told)
