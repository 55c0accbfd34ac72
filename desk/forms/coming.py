"""Forms about a client's own way in. They check shape; the actions check the rest."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from common.inputs import Text
from consent.vocabulary import LONGEST_NUMBER, CodeKind
from desk.forms.fields import TextField
from desk.forms.signin import ProveAgainForm
from governance.models import Organisation

NUMBER = _("Client number")


def at_holders(form: forms.BaseForm, holders: list[Organisation]) -> None:
    """Which organisation's client; not asked where there is one."""
    field = form.fields["holder"]
    if len(holders) == 1:
        field.widget = forms.HiddenInput()
        field.initial = holders[0].ref
    field.choices = [(each.ref, each.name) for each in holders]  # type: ignore[attr-defined]


def number_field(label: Any = NUMBER) -> forms.CharField:
    return TextField(
        Text(most=LONGEST_NUMBER, least=1),
        label=label,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class CodeForm(ProveAgainForm):
    """For whom a code is and for what, that they have talked, and once more that it is you."""

    field_order = ["holder", "number", "kind", "language", "talked", "password", "code"]
    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field()
    kind = forms.ChoiceField(
        label=_("What for"),
        choices=CodeKind.choices,
        initial=CodeKind.ARRIVAL,
        widget=forms.RadioSelect,
    )
    language = forms.ChoiceField(
        label=_("Language of the sheet"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )
    talked = forms.BooleanField(
        label=_("We have talked about which device is safe to use, and who else can look at it."),
        error_messages={
            "required": _("First talk with the person about which device is safe to use.")
        },
    )

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)


class Wanted(TextChoices):
    """What a person wants to have shut, stopped or closed."""

    SHUT = "shut", _("Shut the sign-in: nobody gets in, sharing goes on")
    FREEZE = "freeze", _("Freeze sharing: nothing new goes out, the sign-in stays")
    CLOSE = "close", _("Close the sign-in for good: sharing goes on")


class ShuttingForm(forms.Form):
    """Whose, and what she wants. One at a time: they are different things."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field()
    wanted = forms.ChoiceField(
        label=_("What the person wants"),
        choices=Wanted.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the person wants.")},
    )

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)
