"""Forms about the people whom an advocate helps. They check shape; the actions check the rest."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from common.inputs import Text
from consent.queries.proposals import Askable
from consent.rules.waiting import CAUTIOUS
from consent.vocabulary import LONGEST_SIGNATURE, MANY_DAYS, Channel, Checked
from desk.forms.coming import at_holders, number_field
from desk.forms.fields import TextField
from desk.templatetags.desk import label
from governance.models import Organisation, User

TOGETHER = (Channel.IN_PERSON, Channel.PHONE, Channel.PAPER)
"""How a yes comes to an advocate; on her own page she gives it herself."""


class FindForm(forms.Form):
    """Whose page: by the organisation's own client number, or the code on her sheet."""

    holder = forms.ChoiceField(label=_("At which organisation"), widget=forms.RadioSelect)
    number = number_field(_("Client number, or the code on her sheet"))

    def __init__(self, *args: Any, holders: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_holders(self, holders)


class BlockForm(FindForm):
    """Whom she wants kept away."""

    worker = forms.ChoiceField(label=_("Whom to keep away"))

    def __init__(self, *args: Any, workers: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["worker"].choices = [(each.ref, each.username) for each in workers]  # type: ignore[attr-defined]


class How(TextChoices):
    """What becomes of whoever helped her so far."""

    INSTEAD = "instead", _("does not help her any more")
    BESIDE = "beside", _("goes on helping her, too")


class HandOnForm(forms.Form):
    """Who helps her from now on."""

    worker = forms.ChoiceField(label=_("To whom"))
    how = forms.ChoiceField(
        label=_("And whoever helped her so far?"),
        choices=How.choices,
        initial=How.INSTEAD,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, workers: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["worker"].choices = [(each.ref, each.username) for each in workers]  # type: ignore[attr-defined]


class CheckedForm(forms.Form):
    """What she says, asked about a stop."""

    checked = forms.ChoiceField(
        label=_("Asked about it, what did she say?"),
        choices=Checked.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what she said.")},
    )


class YesForm(forms.Form):
    """What she would say yes to: one recipient, one purpose, kind by kind."""

    recipient = forms.ChoiceField(label=_("Who would get it"))
    purpose = forms.ChoiceField(label=_("What for"))
    kinds = forms.MultipleChoiceField(
        label=_("Which kinds of information"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind.")},
    )
    terms = forms.ChoiceField(label=_("Which text, in her language"))
    days = forms.IntegerField(
        label=_("For how many days"), min_value=1, max_value=MANY_DAYS, initial=30
    )

    def __init__(self, *args: Any, holder: Organisation, askable: Askable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "recipient": [
                (o.ref, o.name)
                for o in askable.recipients
                if o.pk != holder.pk and o.kind not in CAUTIOUS
            ],
            "purpose": [(p.code, label(p)) for p in askable.purposes],
            "kinds": [(c.code, label(c)) for c in askable.categories],
            "terms": [(str(t), f"{t.title} ({t})") for t in askable.terms],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]


class SignedForm(forms.Form):
    """That it was read to her and understood, how she said it, and where her signature lies."""

    read = forms.BooleanField(
        label=_("I read all of this to her in her language, and she said yes to each line."),
        error_messages={"required": _("Read it to her first.")},
    )
    channel = forms.ChoiceField(
        label=_("How she said it"),
        choices=[(each.value, each.label) for each in TOGETHER],
        widget=forms.RadioSelect,
    )
    signature = TextField(
        Text(most=LONGEST_SIGNATURE, least=1),
        label=_("Where her signature lies"),
        help_text=_("Such as “binder 3, sheet 41”. Never her name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
