"""What her own pages ask of her beside sharing: questions, joining, her whole file. Forms look at shape only."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common import codes
from consent.vocabulary import LONGEST_WORDS, Topic
from portal.forms import CODE, Names, Tick


class Whole(Names):
    """Her whole file. The box stands there whether or not she has hidden anything."""

    hidden = forms.BooleanField(
        label=_("Also what I hid from my pages."), required=False, widget=Tick
    )


class Join(forms.Form):
    """A code from each of two places."""

    first = forms.CharField(
        label=_("Code from the place that you see here"),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )
    second = forms.CharField(
        label=_("Code from the other place"),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class Ask(forms.Form):
    """What she asks, about which sharing, and a few words if she wants."""

    about = forms.ChoiceField(label=_("What is it about?"))
    topic = forms.ChoiceField(
        label=_("What do you want to know?"),
        choices=Topic.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a question.")},
    )
    words = forms.CharField(
        label=_("More words, if you want"),
        help_text=_("Please do not write what happened. A court may read this."),
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, about: list[tuple[str, str]], chosen: str) -> None:
        super().__init__(data)
        self.fields["about"].choices = about  # type: ignore[attr-defined]
        self.fields["about"].initial = chosen if chosen in dict(about) else about[0][0]
