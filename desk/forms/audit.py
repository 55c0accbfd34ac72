"""Forms of auditing. They check shape; the actions check the rest."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.vocabulary import Decision, EntryType
from common.days import begins
from common.inputs import Number, Text, of
from consent.vocabulary import LONGEST_NUMBER
from desk.forms.fields import DateField, TextField, refuse
from governance.models import Dataset, Organisation, Purpose
from oversight.models import AuditCase, Finding, FindingStep, Job, MembershipReview, SavedSearch
from oversight.rules import sampling
from oversight.vocabulary import Format, Verdict, Wanted

WORD = Text(most=200)
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def word_field(label: Any, help_text: Any = "", limit: Text = WORD) -> TextField:
    return TextField(limit, label=label, help_text=help_text, widget=forms.TextInput(attrs=PLAIN))


class NumberField(forms.IntegerField):
    """A whole number within the limit of the deed that it is for."""

    def __init__(self, limit: Number, **kwargs: Any) -> None:
        self.limit = limit
        super().__init__(widget=forms.TextInput(attrs={**PLAIN, "inputmode": "numeric"}), **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None:
            refuse(self.limit.fault(value))


ENTRY = Number(least=0)


class CaseForm(forms.Form):
    """What is looked into, in whose name, and why."""

    organisation = forms.ChoiceField(label=_("In the name of"), widget=forms.RadioSelect)
    holder = forms.ChoiceField(label=_("About which holder"), required=False)
    title = TextField(of(AuditCase, "title"), label=_("What it is called"))
    reason = TextField(
        of(AuditCase, "reason", lines=True),
        label=_("Why it is opened"),
        help_text=_("Boards read this beside everything that you look at."),
    )

    def __init__(
        self,
        *args: Any,
        organisations: list[Organisation],
        holders: Iterable[Organisation],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if len(organisations) == 1:
            self.fields["organisation"].widget = forms.HiddenInput()
            self.fields["organisation"].initial = organisations[0].ref
        self.fields["organisation"].choices = [(o.ref, o.name) for o in organisations]  # type: ignore[attr-defined]
        every = [("", _("all of them")), *((o.ref, o.name) for o in holders)]
        self.fields["holder"].choices = every  # type: ignore[attr-defined]


class SearchForm(forms.Form):
    """What to look for; every field left empty asks about everything."""

    handle = word_field(
        _("Person’s handle"), _("A word such as hdl-…; the holder gives it, for this case only.")
    )
    actor = word_field(_("Who did it"), _("A reference such as usr-…, or person, or clock."))
    organisation = forms.ChoiceField(label=_("Organisation"), required=False)
    dataset = forms.ChoiceField(label=_("Dataset"), required=False)
    purpose = forms.ChoiceField(label=_("For what"), required=False)
    type = forms.ChoiceField(
        label=_("What happened"),
        required=False,
        choices=[("", _("anything")), *((each.value, each.value) for each in EntryType)],
    )
    decision = forms.ChoiceField(
        label=_("How it ended"),
        required=False,
        choices=[("", _("however")), *((each.value, each.value) for each in Decision)],
    )
    reason = word_field(_("Reason"), _("One word of the log, such as no-consent."))
    since = DateField(label=_("From"), required=False)
    until = DateField(label=_("Until the end of"), required=False)

    def __init__(
        self,
        *args: Any,
        organisations: Iterable[Organisation],
        datasets: Iterable[Dataset],
        purposes: Iterable[tuple[Purpose, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        chosen = {
            "organisation": [(o.ref, o.name) for o in organisations],
            "dataset": [(d.ref, d.title) for d in datasets],
            "purpose": [(p.code, words) for p, words in purposes],
        }
        for name, choices in chosen.items():
            self.fields[name].choices = [("", _("any")), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The end lies before the start."))
        return cleaned

    def wanted(self) -> Wanted:
        """The question, its days as instants: from the first one's beginning to the last one's end."""
        asked = {field.name for field in fields(Wanted)}
        words = {name: self.cleaned_data[name] for name in asked if self.cleaned_data[name]}
        for name, later in (("since", timedelta()), ("until", timedelta(days=1))):
            if name in words:
                words[name] = begins(words[name] + later)
        return Wanted(**words)


class SaveForm(SearchForm):
    """The same question, and a name to find it by."""

    name = TextField(of(SavedSearch, "name"), label=_("Keep this search as"))


class VerifyForm(forms.Form):
    """Whether to verify the whole log, or which entries; two buttons of one page say which."""

    ALL, SOME = "all", "some"
    which = forms.ChoiceField(choices=[(ALL, ALL), (SOME, SOME)])
    first = NumberField(
        ENTRY, label=_("From entry"), required=False, help_text=_("Empty: from the first one.")
    )
    last = NumberField(
        ENTRY,
        label=_("Up to entry"),
        required=False,
        help_text=_("Empty: all that are signed."),
    )

    def chosen(self) -> dict[str, int | None]:
        """The first and the last one; nothing where it is the whole log."""
        if self.cleaned_data["which"] == self.ALL:
            return {}
        return {"first": self.cleaned_data["first"], "last": self.cleaned_data["last"]}


class ExportForm(forms.Form):
    """Which entries to take out of the log, in which kind of file, and why."""

    first = NumberField(ENTRY, label=_("From entry"), required=False)
    last = NumberField(
        ENTRY,
        label=_("Up to entry"),
        required=False,
        help_text=_("Empty: all that are signed."),
    )
    format = forms.ChoiceField(
        label=_("File format"),
        choices=[(each.value, each.value) for each in Format],
        widget=forms.RadioSelect,
    )
    reason = TextField(
        of(Job, "reason", least=1, lines=True),
        label=_("Why"),
        help_text=_("It stays on record; the log keeps its digest."),
    )


class FindingForm(forms.Form):
    """What was found, and who has to answer."""

    organisation = forms.ChoiceField(label=_("Who has to answer"))
    title = TextField(of(Finding, "title"), label=_("In one line"))
    text = TextField(
        of(FindingStep, "text", lines=True),
        label=_("What you found"),
        help_text=_("Write nothing that could tell on a person: boards read this."),
    )
    number = NumberField(ENTRY, label=_("About entry"), required=False)

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = [(o.ref, o.name) for o in organisations]  # type: ignore[attr-defined]


class SayForm(forms.Form):
    """An answer to a finding, or why it is settled."""

    text = TextField(of(FindingStep, "text", lines=True), label=_("What you say to it"))


class ReviewForm(forms.Form):
    """Whether a role should go on."""

    verdict = forms.ChoiceField(
        label=_("This role"), choices=Verdict.choices, widget=forms.RadioSelect
    )
    reason = TextField(of(MembershipReview, "reason", lines=True), label=_("Why"))


class WorksheetForm(forms.Form):
    """How many imported yeses to draw, at which holder."""

    holder = forms.ChoiceField(label=_("At which holder"))
    size = NumberField(Number(least=1, most=sampling.LARGEST), label=_("How many"))

    def __init__(self, *args: Any, holders: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["holder"].choices = [(o.ref, o.name) for o in holders]  # type: ignore[attr-defined]


class HandleForm(forms.Form):
    """One client of one's own, for whom auditors get a word."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = TextField(
        Text(most=LONGEST_NUMBER, least=1),
        label=_("Client number"),
        help_text=_("It stays here. The auditors get the word alone."),
        widget=forms.TextInput(attrs=PLAIN),
    )

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(holders) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = holders[0].ref
        self.fields["holder"].choices = [(o.ref, o.name) for o in holders]  # type: ignore[attr-defined]
