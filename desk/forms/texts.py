"""The form of a consent text: every part of it, in both languages."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.inputs import Text, of
from consent.actions.terms import LONGEST_PART
from consent.models import Terms
from consent.rules.texts import LANGUAGES, Piece, Written, measure
from consent.vocabulary import Part
from desk.forms.fields import DateField, TextField
from governance.models import Organisation

NAMES = {"en": _("English"), "es": _("Spanish")}
YES, NO = "yes", "no"


class TextForm(forms.Form):
    """One version of a text. Nothing of it is kept before it is published."""

    organisation = forms.ChoiceField(label=_("For which organisation"), widget=forms.RadioSelect)
    code = TextField(
        of(Terms, "code"),
        label=_("Name of the text"),
        help_text=_("Letters, digits and hyphens. The same name makes a newer version."),
    )
    widens = forms.ChoiceField(
        label=_("Does it let more go than the version before?"),
        choices=[
            (YES, _("Yes, or I am not sure: whoever said yes before is asked again")),
            (NO, _("No: what people said yes to goes on")),
        ],
        widget=forms.RadioSelect,
        initial=YES,
    )
    keep_until = DateField(
        label=_("Day until which they may keep it (if any)"),
        help_text=_("What is sent before is asked back on this day, and not when a yes ends."),
        required=False,
    )

    def __init__(self, *args: Any, organisations: Sequence[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = self.fields["organisation"]
        assert isinstance(own, forms.ChoiceField)
        own.choices = [(each.ref, each.name) for each in organisations]
        if len(organisations) == 1:
            own.widget, own.initial = forms.HiddenInput(), organisations[0].ref
        for language in LANGUAGES:
            self.fields[f"{language}_title"] = TextField(of(Terms, "title"), label=_("Title"))
            for part in Part:
                self.fields[f"{language}_{part}"] = TextField(
                    Text(most=LONGEST_PART, least=1, lines=True), label=part.label
                )
            for name in self.fields:
                if name.startswith(f"{language}_"):
                    self.fields[name].widget.attrs["lang"] = language

    def languages(self) -> Iterator[tuple[Any, list[forms.BoundField]]]:
        """Each language by its name, with its fields."""
        for language in LANGUAGES:
            names = [f"{language}_title", *(f"{language}_{part}" for part in Part)]
            yield NAMES[language], [self[name] for name in names]

    def texts(self) -> list[Written]:
        """What was written: each part as one paragraph, whatever lines it was written in."""
        return [
            Written(
                language,
                self.cleaned_data[f"{language}_title"],
                tuple(
                    Piece(part, " ".join(self.cleaned_data[f"{language}_{part}"].split()))
                    for part in Part
                ),
            )
            for language in LANGUAGES
        ]

    def preview(self) -> list[tuple[Any, Written, list[tuple[str, str, float | None]]]]:
        """Each language as it will be shown, part by part with how hard it is to read."""
        return [
            (
                NAMES[text.language],
                text,
                [
                    (str(part.label), words, measure(words, text.language))
                    for part, words in text.parts.items()
                ],
            )
            for text in self.texts()
        ]


def filled(newest: Sequence[Terms]) -> dict[str, Any]:
    """What the next version begins with: the one before."""
    found: dict[str, Any] = {}
    for terms in newest:
        found |= {"code": terms.code, "keep_until": terms.keep_until}
        found[f"{terms.language}_title"] = terms.title
        found |= {f"{terms.language}_{each.part}": each.text for each in terms.parts.all()}
    return found
