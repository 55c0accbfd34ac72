"""Forms about what is wrong, or not to be shared for now. They check shape; the actions the rest."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.vocabulary import Contested, Decided
from desk.forms.coming import at_holders, number_field
from desk.templatetags.desk import label
from governance.models import DataCategory, Organisation


class ContestForm(forms.Form):
    """Whose, which kind of information, and which of the two she says; no text says more."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field(_("Client number, or the code on her sheet"))
    category = forms.ChoiceField(label=_("Which kind of information"))
    kind = forms.ChoiceField(
        label=_("What she says"),
        choices=Contested.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what she says.")},
    )

    def __init__(
        self,
        *args: Any,
        holders: list[Organisation],
        categories: Iterable[DataCategory],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)
        kinds = [(each.code, label(each)) for each in categories]
        self.fields["category"].choices = [("", _("Choose")), *kinds]  # type: ignore[attr-defined]


class DecideForm(forms.Form):
    """What the organisation that keeps it decided."""

    decision = forms.ChoiceField(
        label=_("What was decided"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what was decided.")},
    )

    def __init__(self, *args: Any, choices: Iterable[Decided], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decision"].choices = [(each.value, each.label) for each in choices]  # type: ignore[attr-defined]
