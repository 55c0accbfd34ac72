"""Forms of signing in and of the second factor. They check shape; allauth checks the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.internal.auth import validate_totp_code
from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.vocabulary import LONGEST_PASSWORD

ONE_TIME = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


class SignInForm(LoginForm):
    """Name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Name")
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class CodeForm(AuthenticateForm):
    """A code from the device, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = forms.CharField(
            label=_("Code"), max_length=32, widget=forms.TextInput(attrs=ONE_TIME)
        )

    def clean_code(self) -> str:
        with noted(self.user):
            return str(super().clean_code())


class DeviceForm(forms.Form):
    """The first code of a new device."""

    code = forms.CharField(
        label=_("Code that the app shows"), max_length=32, widget=forms.TextInput(attrs=ONE_TIME)
    )

    def __init__(self, *args: Any, user: User, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.secret = user, secret

    def clean_code(self) -> str:
        forget_tries = check_rate_limit(self.user)
        code: str = self.cleaned_data["code"]
        if not validate_totp_code(self.secret, code):
            raise get_adapter().validation_error("incorrect_code")
        forget_tries()
        return code


class ProveAgainForm(CodeForm):
    """Password and a code once more, before a device is replaced."""

    field_order = ["password", "code"]
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_password(self) -> str:
        with noted(self.user):
            forget_tries = check_rate_limit(self.user)
            password: str = self.cleaned_data["password"]
            if not self.user.check_password(password):
                raise forms.ValidationError(_("This password is not right."), code="password")
            forget_tries()
            return password


@contextmanager
def noted(user: User) -> Iterator[None]:
    """A wrong code or password of somebody who is half inside counts as a failed sign-in."""
    try:
        yield
    except forms.ValidationError:
        account_adapter().authentication_failed(context.request, username=user.username)
        raise
