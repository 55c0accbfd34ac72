"""What the survivors' pages ask. Forms look at shape only; rules stand below."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.vocabulary import LONGEST_PASSWORD

LONGEST_NAME = User._meta.get_field("username").max_length


class SignIn(forms.Form):
    name = forms.CharField(
        label=_("Your name here"),
        help_text=_("The made-up name you chose."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    passphrase = forms.CharField(
        label=_("Your secret words"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Names(forms.Form):
    passphrase = forms.CharField(
        label=_("Your secret words"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OwnKey(Names):
    sure = forms.BooleanField(
        label=_("I have read this, and I want the key."),
        error_messages={"required": _("Tick the box if you want the key.")},
    )


class Pause(forms.Form):
    FOREVER = "open"

    until = forms.ChoiceField(
        label=_("For how long?"),
        choices=[
            (FOREVER, _("Until I start it again")),
            ("7", _("7 days")),
            ("30", _("30 days")),
        ],
        initial=FOREVER,
        widget=forms.RadioSelect,
    )
