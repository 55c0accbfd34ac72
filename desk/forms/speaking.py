"""Forms about who speaks for a client. They check shape; the actions check the rest."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from common.days import begins
from common.inputs import Text
from consent.queries.proposals import Askable
from consent.vocabulary import (
    LONGEST_SIGNATURE,
    LONGEST_WHO,
    Assent,
    Channel,
    Paper,
    Speaker,
    Threat,
)
from desk.forms.coming import at_holders, number_field
from desk.forms.fields import DateField, TextField
from desk.forms.signin import ProveAgainForm
from desk.templatetags.desk import label
from governance.models import Organisation

EXACT = {"autocomplete": "off", "spellcheck": "false"}


def who_field(least: int = 1) -> TextField:
    return TextField(
        Text(most=LONGEST_WHO, least=least),
        label=_("Who it is, as your own file says"),
        help_text=_("Only a seal of it is kept, by which the same person is known again."),
        widget=forms.TextInput(attrs=EXACT),
    )


def document_field(least: int = 64) -> TextField:
    return TextField(
        Text(most=64, least=least, slug=True),
        label=_("SHA-256 of the document"),
        help_text=_("64 digits 0-9, a-f. The document itself stays with you."),
        widget=forms.TextInput(attrs=EXACT),
    )


class Noted(TextChoices):
    """What can be written down about a client."""

    MINOR = "minor", _("A minor: one parent or guardian says yes with her")
    ALONE = "alone", _("A minor who may decide about this service alone")
    FLAG = "flag", _("Somebody may never say yes for her")
    DISPUTE = "dispute", _("It is disputed who may say yes for her")
    DIED = "died", _("She has died")


NEEDS = {
    Noted.MINOR: ("majority",),
    Noted.ALONE: ("majority",),
    Noted.FLAG: ("who", "threat"),
    Noted.DISPUTE: (),
    Noted.DIED: (),
}


class NoteForm(forms.Form):
    """About whom, and one thing that is so: each makes less go out, never more."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field()
    noted = forms.ChoiceField(
        label=_("What is so"),
        choices=Noted.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is so.")},
    )
    majority = DateField(label=_("A minor: of age from this day on"), required=False)
    who = who_field(least=0)
    threat = forms.ChoiceField(
        label=_("May never say yes: why"),
        choices=[("", _("Does not apply")), *Threat.choices],
        required=False,
    )
    document = document_field(least=0)

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("noted"):
            for name in NEEDS[Noted(found["noted"])]:
                if not found.get(name) and name not in self.errors:
                    self.add_error(name, _("This is needed here."))
        return found


class RepresentativeForm(ProveAgainForm):
    """Who may speak for a client, by which paper, until when; and once more that it is you."""

    field_order = [
        *("holder", "number", "kind", "who", "works_for", "paper", "document", "starts", "ends"),
        *("password", "code"),
    ]
    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field()
    kind = forms.ChoiceField(
        label=_("What this person is"), choices=Speaker.choices, widget=forms.RadioSelect
    )
    who = who_field()
    works_for = forms.ChoiceField(
        label=_("Works for one of these"),
        help_text=_("Nobody says yes to the place they work for."),
        required=False,
    )
    paper = forms.ChoiceField(
        label=_("Which paper says so"), choices=Paper.choices, widget=forms.RadioSelect
    )
    document = document_field()
    starts = DateField(label=_("The paper's own day"))
    ends = DateField(label=_("Until the end of"))

    def __init__(
        self,
        *args: Any,
        holders: list[Organisation],
        organisations: list[Organisation],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)
        self.fields["works_for"].choices = [
            ("", _("None of them")),
            *((each.ref, each.name) for each in organisations),
        ]

    def until(self) -> datetime:
        """The last instant of the chosen day."""
        return begins(self.cleaned_data["ends"] + timedelta(days=1))


class SpokenYesForm(ProveAgainForm):
    """What somebody said yes to for a client, and what she answered; and once more that it is you."""

    field_order = [
        *("recipient", "purpose", "kinds", "terms", "channel", "signature", "assent", "told"),
        *("ends", "password", "code"),
    ]
    recipient = forms.ChoiceField(label=_("Who would get it"))
    purpose = forms.ChoiceField(label=_("What for"))
    kinds = forms.MultipleChoiceField(
        label=_("Which kinds of information"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind.")},
    )
    terms = forms.ChoiceField(label=_("Which text, in which language"))
    channel = forms.ChoiceField(
        label=_("How it was said"),
        choices=[each for each in Channel.choices if each[0] != Channel.PORTAL],
        widget=forms.RadioSelect,
    )
    signature = TextField(
        Text(most=LONGEST_SIGNATURE, least=1),
        label=_("Where the signed paper lies"),
        widget=forms.TextInput(attrs=EXACT),
    )
    assent = forms.ChoiceField(
        label=_("What she herself answered"), choices=Assent.choices, widget=forms.RadioSelect
    )
    told = forms.ChoiceField(
        label=_("The seven questions of informed consent"),
        choices=[("yes", _("All seven were answered with yes"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("All seven answers are needed.")},
    )
    ends = DateField(
        label=_("Until the end of"),
        help_text=_("Empty: 90 days, or the end of the authority if that is sooner."),
        required=False,
    )

    def __init__(self, *args: Any, holder: Organisation, askable: Askable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "recipient": [(o.ref, o.name) for o in askable.recipients if o != holder],
            "purpose": [(p.code, label(p)) for p in askable.purposes],
            "kinds": [(c.code, label(c)) for c in askable.categories],
            "terms": [(str(t), f"{t.title} ({t})") for t in askable.terms],
        }
        for name, found in choices.items():
            self.fields[name].choices = found

    def until(self) -> datetime | None:
        """The last instant of the chosen day; None where none was chosen."""
        day = self.cleaned_data["ends"]
        return None if day is None else begins(day + timedelta(days=1))
