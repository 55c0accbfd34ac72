"""Forms of asking, deciding, keys and stops. They check shape; the actions check the rest."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.days import begins
from common.inputs import Text, of
from consent.queries.proposals import Askable
from consent.vocabulary import LONGEST_NUMBER, MANY_DAYS
from desk.forms.fields import DateField, TextField
from desk.forms.signin import ProveAgainForm
from desk.templatetags.desk import label
from governance.actions.keys import FINGERPRINT, TYPED
from governance.models import (
    AccessRequest,
    Agreement,
    Ballot,
    Field,
    Organisation,
    Purpose,
    RecipientKey,
)
from governance.vocabulary import PackageFormat, Vote
from release.vocabulary import Reported


class DraftForm(forms.Form):
    """What an organisation asks for under one agreement, from one dataset."""

    purpose = forms.ChoiceField(label=_("What for"), widget=forms.RadioSelect)
    fields_asked = forms.MultipleChoiceField(
        label=_("Which fields"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one field.")},
    )
    reason = TextField(
        of(AccessRequest, "reason", lines=True),
        label=_("Why these fields, and why no less"),
        help_text=_("The board reads this, and so may the people the data is about."),
    )
    benefit = TextField(
        of(AccessRequest, "benefit", lines=True),
        label=_("What good it does the people the data is about"),
    )
    format = forms.ChoiceField(
        label=_("File format"), choices=PackageFormat.choices, widget=forms.RadioSelect
    )
    starts = DateField(label=_("From"))
    ends = DateField(label=_("Until the end of"))

    def __init__(
        self,
        *args: Any,
        purposes: list[tuple[Purpose, str]],
        fields: list[Field],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(p.code, words) for p, words in purposes]  # type: ignore[attr-defined]
        self.fields["fields_asked"].choices = [(f.name, f.name) for f in fields]  # type: ignore[attr-defined]

    def chosen(self) -> set[str]:
        """The names ticked so far, for a page that comes back."""
        return set(self["fields_asked"].value() or [])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", _("The end lies before the start."))
        return cleaned


def period(
    starts: date, ends: date, agreement: Agreement, at: datetime
) -> tuple[datetime, datetime]:
    """Whole days as instants: from the first day's beginning, or now, to the last day's end, and
    never beyond the agreement where that begins or ends within the day."""
    day = timedelta(days=1)
    first, second, eve, last = map(begins, (starts, starts + day, ends, ends + day))
    if first <= at < second:
        first = at
    if first < agreement.starts < second:
        first = agreement.starts
    if eve < agreement.ends < last:
        last = agreement.ends
    return first, last


class VoteForm(forms.Form):
    vote = forms.ChoiceField(label=_("Your answer"), choices=Vote.choices, widget=forms.RadioSelect)
    reason = TextField(
        of(Ballot, "reason", lines=True),
        label=_("Your reason"),
        help_text=_("It stays on record with your vote."),
    )


class KeyForm(ProveAgainForm):
    """A key, the fingerprint its own computer shows, and once more that it is you."""

    field_order = ["public_key", "fingerprint", "password", "code"]
    public_key = TextField(
        of(RecipientKey, "public_key"),
        label=_("Public key"),
        help_text=_("One line that begins with age1. Never paste the private key."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    fingerprint = TextField(
        TYPED,
        label=_("First 8 signs of its fingerprint"),
        help_text=_("As that computer shows them, not as somebody wrote them to you."),
        min_length=FINGERPRINT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class StopForm(forms.Form):
    """A stop said aloud: by the organisation's own client number."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = TextField(
        Text(most=LONGEST_NUMBER, least=1),
        label=_("Client number, or the code on her sheet"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    recipient = forms.ChoiceField(label=_("Stop sharing with"), required=False)

    def __init__(
        self,
        *args: Any,
        holders: list[Organisation],
        recipients: list[Organisation],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if len(holders) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = holders[0].ref
        self.fields["holder"].choices = [(o.ref, o.name) for o in holders]  # type: ignore[attr-defined]
        self.fields["recipient"].choices = [  # type: ignore[attr-defined]
            ("", _("everyone")),
            *((o.ref, o.name) for o in recipients),
        ]


class AskForm(forms.Form):
    """Asking a client for a yes: to one recipient, for one purpose, kind by kind."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = TextField(
        Text(most=LONGEST_NUMBER, least=1),
        label=_("Client number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    recipient = forms.ChoiceField(label=_("Who would get it"))
    purpose = forms.ChoiceField(label=_("What for"))
    kinds = forms.MultipleChoiceField(
        label=_("Which kinds of information"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind.")},
    )
    terms = forms.ChoiceField(label=_("Which text, in which language"))
    days = forms.IntegerField(
        label=_("For how many days"),
        help_text=_("Empty: 90 days, or the purpose’s longest if that is shorter."),
        min_value=1,
        max_value=MANY_DAYS,
        required=False,
    )

    def __init__(
        self, *args: Any, holders: list[Organisation], askable: Askable, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if len(holders) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = holders[0].ref
        choices = {
            "holder": [(o.ref, o.name) for o in holders],
            "recipient": [(o.ref, o.name) for o in askable.recipients if o not in holders],
            "purpose": [(p.code, label(p)) for p in askable.purposes],
            "kinds": [(c.code, label(c)) for c in askable.categories],
            "terms": [(str(t), f"{t.title} ({t})") for t in askable.terms],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]


class ReportForm(forms.Form):
    """What a recipient says it did with what it is asked to delete."""

    reported = forms.ChoiceField(
        label=_("What did you do?"),
        choices=Reported.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you did.")},
    )
