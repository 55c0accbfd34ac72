"""What the survivors' pages ask. Forms look at shape only; rules stand below."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common import codes
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


CODE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
NEW = {"autocomplete": "new-password", "spellcheck": "false", "autocapitalize": "none"}


class Code(forms.Form):
    """A code of ten signs from a sheet of paper."""

    code = forms.CharField(
        label=_("Your code"),
        help_text=_("It has ten signs. Capitals and the line in the middle do not matter."),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class ShutCode(forms.Form):
    code = forms.CharField(
        label=_("The code that shuts your page"),
        help_text=_("It stands at the end of your paper."),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class BackIn(forms.Form):
    """Her made-up name, and one code of her paper."""

    name = forms.CharField(
        label=_("Your name here"),
        help_text=_("The made-up name you chose."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={**CODE, "autocomplete": "username"}),
    )
    code = forms.CharField(
        label=_("One code from your paper"),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class MadeUpName(forms.Form):
    """One of the names on offer; her own name is not one of them."""

    name = forms.ChoiceField(
        label=_("Which name do you want here?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the names.")},
    )

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].choices = [(name, name) for name in offered]  # type: ignore[attr-defined]


class Words(forms.Form):
    """The words on offer, typed back; or words of her own, typed twice.

    The account's own rules are asked by the deed.
    """

    typed = forms.CharField(
        label=_("Type the five words here"),
        max_length=LONGEST_PASSWORD,
        required=False,
        widget=forms.TextInput(attrs=NEW),
    )
    password = forms.CharField(
        label=_("Your own words"),
        help_text=_("12 signs or more. Not your name, and not a day that others know."),
        max_length=LONGEST_PASSWORD,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs=NEW),
    )
    again = forms.CharField(
        label=_("The same words again"),
        max_length=LONGEST_PASSWORD,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs=NEW),
    )

    def __init__(self, *args: Any, offered: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered

    def clean(self) -> dict[str, Any]:
        typed = " ".join(self.cleaned_data.get("typed", "").lower().split())
        own, again = self.cleaned_data.get("password", ""), self.cleaned_data.get("again", "")
        if typed and typed != self.offered:
            self.add_error(
                "typed", _("These are not the five words above. Look again, word by word.")
            )
        elif not typed and own != again and not {"password", "again"} & self.errors.keys():
            self.add_error("again", _("The two differ. Type the same words twice."))
        elif not typed and not own and not self.errors:
            self.add_error("typed", _("Type the words here."))
        return {"chosen": typed or own}


class Speak(forms.Form):
    language = forms.ChoiceField(
        label=_("In which language should we meet you?"),
        choices=settings.LANGUAGES,
        widget=forms.RadioSelect,
    )


class Close(Names):
    sure = forms.BooleanField(
        label=_("I have read this, and I want to close my page."),
        error_messages={"required": _("Tick the box if you want this.")},
    )
