"""Forms of coming in, beginning anew and leaving. They check shape; the actions check the rest."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import validate_totp_code
from django import forms
from django.utils.translation import gettext_lazy as _

from common import codes
from common.inputs import Text, of
from desk.forms.fields import TextField
from desk.forms.signin import ONE_TIME, ProveAgainForm
from governance.models import User
from governance.vocabulary import LONGEST_PASSWORD, ResetKind, Role

CODE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def code_field(label: Any) -> forms.CharField:
    limit = Text(most=codes.LONGEST, least=1)
    return TextField(limit, label=label, widget=forms.TextInput(attrs=CODE))


class InviteForm(ProveAgainForm):
    """Which roles, and once more that it is you."""

    field_order = ["roles", "password", "code"]
    roles = forms.MultipleChoiceField(
        label=_("As what"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role.")},
    )

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(role.value, role.label) for role in roles]


class AskResetForm(ProveAgainForm):
    """What was lost, and once more that it is you."""

    field_order = ["kind", "password", "code"]
    kind = forms.ChoiceField(
        label=_("What is lost"), choices=ResetKind.choices, widget=forms.RadioSelect
    )


class InvitedForm(forms.Form):
    code = code_field(_("Code of the invitation"))


class AnewForm(forms.Form):
    first = code_field(_("Code from the first person"))
    second = code_field(_("Code from the second person"))


class NewPassword(forms.Form):
    """A password, typed twice; the account's own rules are asked by the action."""

    password = forms.CharField(
        label=_("New password"),
        help_text=_(
            "12 signs or more. Four words that have nothing to do with each other are good."
        ),
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("password") not in (None, again):
            raise forms.ValidationError(_("The two passwords differ."), code="differ")
        return again


class NewDevice(forms.Form):
    """The first code of a new device; `secret` is the one the page drew."""

    secret = ""
    device = forms.CharField(
        label=_("Code that the app shows"), max_length=32, widget=forms.TextInput(attrs=ONE_TIME)
    )

    def clean_device(self) -> str:
        code: str = self.cleaned_data["device"]
        if not validate_totp_code(self.secret, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class AccountForm(NewPassword, NewDevice):
    """A new account: a name of one's own choice, a password, a device."""

    field_order = ["name", "password", "again", "device"]
    name = TextField(
        of(User, "username"),
        label=_("Name to sign in with"),
        help_text=_(
            "3 to 80 letters, digits or the signs _ . @ + -. It need not be your own name."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )


class BothAnewForm(NewPassword, NewDevice):
    field_order = ["password", "again", "device"]


class DeviceAnewForm(NewDevice):
    """A new device, and the password she still has."""

    field_order = ["former", "device"]
    former = forms.CharField(
        label=_("Your password"),
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordAnewForm(NewPassword):
    """A new password, and a code from the device she still has."""

    field_order = ["code", "password", "again"]
    code = forms.CharField(
        label=_("Code from your device, or a recovery code"),
        max_length=32,
        widget=forms.TextInput(attrs=ONE_TIME),
    )
