"""Signing in at the desk through the organisation's own OpenID Connect provider.

It stands for the password alone, and only for an account that its owner has linked from inside: whoever
may choose a name at the provider chooses nobody's account here. Nothing the provider says of a person
is kept but the `sub` of OpenID Connect Core 1.0, by which it calls them.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from requests import RequestException, Session

from audit.actions import bursts
from audit.vocabulary import Via
from desk import second_factor
from desk.forms.signin import SignInForm
from governance.actions import people
from governance.models import User
from governance.vocabulary import UserKind

PROVIDER = "openid_connect"
TROUBLE = (RequestException, OAuth2Error, KeyError, TypeError, ValueError, AttributeError)
"""What the library raises where a provider does not answer, or not as the standard says."""


@dataclass(frozen=True)
class Told:
    """How the provider says that somebody signed in: `amr` and `acr` of OpenID Connect Core 1.0."""

    words: frozenset[str]

    @property
    def twice(self) -> bool:
        """With a second factor, by one of the words that this deployment takes for it."""
        return bool(self.words & set(settings.OIDC_SECOND_FACTOR))


def of_claims(claims: dict[str, Any]) -> Told:
    amr, acr = claims.get("amr", []), claims.get("acr")
    found = [*(amr if isinstance(amr, list) else [amr]), acr]
    return Told(frozenset(each for each in found if isinstance(each, str) and each))


class StaffOAuth(OpenIDConnectOAuth2Adapter):
    """One provider, one way back."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("desk-provider-back"))


class StaffProvider(OpenIDConnectProvider):
    oauth2_adapter_class = StaffOAuth

    def get_default_scope(self) -> list[str]:
        """No name, no mail: neither is wanted here."""
        return ["openid"]

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def sociallogin_from_response(self, request: HttpRequest, data: dict[str, Any]) -> SocialLogin:
        login = super().sociallogin_from_response(request, data)
        login.told = of_claims(data["id_token"])
        return login


class StaffSocialAdapter(DefaultSocialAccountAdapter):
    """Lets in whoever has linked this provider; makes no account, and keeps no token."""

    def get_app(self, request: HttpRequest, provider: str, client_id: str = "") -> SocialApp:
        return SocialApp(
            provider=PROVIDER,
            provider_id=key(),
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT,
            secret=settings.OIDC_SECRET,
            settings={
                "server_url": settings.OIDC_URL,
                "fetch_userinfo": False,
                "oauth_pkce_enabled": True,
            },
        )

    def get_provider(self, request: HttpRequest, provider: str, client_id: str = "") -> Any:
        return StaffProvider(request, app=self.get_app(request, provider))

    def get_requests_session(self) -> Session:
        """Five seconds for each answer, and whatever sends elsewhere is no answer."""
        session: Session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The provider's word is good. Now: whose account, and for what."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_link(request, sociallogin))
        user = sociallogin.user
        if request.user.is_authenticated:
            raise ImmediateHttpResponse(redirect("desk:home"))
        if not sociallogin.is_existing or not _comes_in(user):
            raise ImmediateHttpResponse(refused(request, "unlinked"))
        if sociallogin.told.twice:
            record_authentication(request, user, method="mfa", type=second_factor.PROVIDER)

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        cancelled = kwargs.get("error") == AuthError.CANCELLED
        raise ImmediateHttpResponse(refused(request, "cancelled" if cancelled else "answer"))


class SecondFactorStage(AuthenticateStage):
    """Asks for a code, unless the provider has just said that it asked for more than a password."""

    def _should_handle(self, request: HttpRequest) -> bool:
        by_provider = second_factor.by_provider(request, self.login.user)
        return not by_provider and bool(super()._should_handle(request))


def key() -> str:
    """How this provider is called in a link: another address is another provider, whose `sub` may be
    anybody else's."""
    return "oidc-" + sha256(settings.OIDC_URL.encode()).hexdigest()[:20]


def linked(user: User) -> SocialAccount | None:
    return SocialAccount.objects.filter(user_id=user.pk, provider=key()).first()


def go(request: HttpRequest, process: str) -> HttpResponse:
    """To the provider, and from there to `back`."""
    try:
        found = StaffSocialAdapter(request).get_provider(request, PROVIDER)
        away: HttpResponse = found.redirect(request, process=process)
    except TROUBLE:
        return refused(request, "answer")
    return away


def back(request: HttpRequest) -> HttpResponse:
    """From the provider: signed in, half signed in, linked, or refused in the words of the page."""
    try:
        view = OAuth2CallbackView.adapter_view(StaffOAuth(request, key()))
        answer: HttpResponse = view(request)
    except TROUBLE:
        return refused(request, "answer")
    return answer


def refused(request: HttpRequest, why: str) -> HttpResponse:
    """One failure, and what to do; a failed sign-in counts as one."""
    if why != "cancelled":
        bursts.failed(
            door=Via.DESK,
            account="",
            address=get_adapter().get_client_ip(request),
            at=timezone.now(),
        )
    page = {"provider_wrong": why, "provider": settings.OIDC_NAME}
    if request.user.is_authenticated:
        return render(request, "desk/provider.html", page)
    return may_leave(render(request, "desk/sign_in.html", {**page, "form": SignInForm()}))


def may_leave(response: HttpResponse) -> HttpResponse:
    """Browsers hold the redirect after a form to the page's own list; on other pages it stays short."""
    if settings.OIDC_URL:
        response._csp_update = {"form-action": settings.OIDC_PLACES}  # type: ignore[attr-defined]
    return response


def unlink(user: User) -> None:
    """Signing in through the provider is over; the password stays."""
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        gone, _each = SocialAccount.objects.filter(user_id=held.pk).delete()
        if gone:
            _noted(held, linked=False)


def _link(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """Whoever proved a moment ago who they are links what the provider calls them."""
    user = request.user
    if not isinstance(user, User) or not second_factor.may(request, second_factor.LINK):
        return redirect("desk:provider-link" if user.is_authenticated else "account_login")
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        uid = sociallogin.account.uid
        if SocialAccount.objects.filter(provider=key(), uid=uid).exclude(user_id=held.pk).exists():
            return refused(request, "taken")
        SocialAccount.objects.filter(user_id=held.pk).delete()
        SocialAccount.objects.create(user=held, provider=key(), uid=uid)
        _noted(held, linked=True)
    second_factor.done(request, second_factor.LINK)
    return redirect("desk:places")


def _noted(user: User, *, linked: bool) -> None:
    people.note_provider(user=user, linked=linked, by=user, at=timezone.now(), via=Via.DESK)


def _comes_in(user: User) -> bool:
    return user.kind == UserKind.STAFF and user.is_active and user.shut_at is None
