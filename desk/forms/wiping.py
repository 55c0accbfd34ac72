"""Forms of wiping what leads to a client, and of legal holds. They check shape; the actions the rest."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.days import begins
from common.inputs import Text
from consent.vocabulary import LONGEST_NUMBER, LONGEST_WHY, HoldGround
from desk.forms.fields import DateField, TextField
from desk.forms.signin import ProveAgainForm
from governance.models import Organisation

EXACT = {"autocomplete": "off", "spellcheck": "false"}


def number_field() -> TextField:
    return TextField(
        Text(most=LONGEST_NUMBER, least=1),
        label=_("Client number"),
        widget=forms.TextInput(attrs=EXACT),
    )


class _AboutClient(ProveAgainForm):
    """One client of one holder, and once more that it is you."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field()

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(holders) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = holders[0].ref
        self.fields["holder"].choices = [(each.ref, each.name) for each in holders]


class AskWipeForm(_AboutClient):
    field_order = ["holder", "number", "why", "password", "code"]
    why = TextField(
        Text(most=LONGEST_WHY, least=1, lines=True),
        label=_("Why it is to be wiped"),
        help_text=_(
            "The second person reads this. It is sealed with the record's own key and ends with it."
        ),
    )


class AgreeWipeForm(ProveAgainForm):
    """The number once more: whoever agrees knows whom it is about."""

    field_order = ["number", "password", "code"]
    number = number_field()


class HoldForm(_AboutClient):
    field_order = ["holder", "number", "ground", "document", "ends", "password", "code"]
    ground = forms.ChoiceField(
        label=_("Why the law keeps it"), choices=HoldGround.choices, widget=forms.RadioSelect
    )
    document = TextField(
        Text(most=64, least=64, slug=True),
        label=_("SHA-256 of the document"),
        help_text=_("64 digits 0-9, a-f. The document itself stays with you."),
        widget=forms.TextInput(attrs=EXACT),
    )
    ends = DateField(label=_("Until the end of"))

    def until(self) -> datetime:
        """The last instant of the chosen day."""
        return begins(self.cleaned_data["ends"] + timedelta(days=1))
