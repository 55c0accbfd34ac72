"""The form of an answer. It checks shape; the action the rest."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.inputs import Text
from consent.vocabulary import LONGEST_WORDS, Reply
from desk.forms.fields import TextField


class ReplyForm(forms.Form):
    """What she is answered: one of the fixed answers, and words only where they do not do."""

    reply = forms.ChoiceField(
        label=_("What she will read"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer.")},
    )
    words = TextField(
        Text(most=LONGEST_WORDS, lines=True),
        label=_("More words, only if needed"),
        help_text=_("Plain and short. Do not write what happened to her; a court may read this."),
    )

    def __init__(self, *args: Any, choices: Iterable[Reply], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reply"].choices = [(each.value, each.label) for each in choices]  # type: ignore[attr-defined]
