"""What the pages about the second thing ask. Forms look at shape only."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common import codes
from portal import second

ONE_TIME = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none"}
LONGEST_ANSWER = 8192
"""Signs of what a browser answers for a passkey; some 1500 are usual."""


class SecondCode(forms.Form):
    """A code of her app; or, where that is allowed, one of her paper."""

    code = forms.CharField(
        label=_("Code from your app"),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=ONE_TIME),
    )

    def __init__(self, *args: Any, app: bool = True, paper: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if app and paper:
            self.fields["code"].label = _("Code from your app, or one code from your paper")
        elif paper:
            self.fields["code"].label = _("One code from your paper")

    @property
    def of_app(self) -> bool:
        """Six digits; a code of her paper has more signs."""
        typed = self.cleaned_data["code"].replace(" ", "")
        return len(typed) == 6 and typed.isdecimal()


class NewApp(forms.Form):
    """The first code of a new app."""

    code = forms.CharField(
        label=_("Code that the app shows"),
        max_length=32,
        widget=forms.TextInput(attrs={**ONE_TIME, "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if not second.fits(self.secret, code):
            raise forms.ValidationError(
                _("This code is not right. Wait for the next one and try again.")
            )
        return code


class Passkey(forms.Form):
    """What her browser answers; the page's script writes it."""

    answer = forms.CharField(max_length=LONGEST_ANSWER, widget=forms.HiddenInput)

    def clean_answer(self) -> dict[str, Any]:
        try:
            return second.parsed(self.cleaned_data["answer"])
        except (ValueError, RecursionError):
            raise forms.ValidationError(_("The passkey did not answer. Try again.")) from None
