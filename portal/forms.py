"""What the survivors' pages ask. Forms look at shape only; rules stand below."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from common import codes
from consent.queries.proposals import Asked
from consent.vocabulary import Contested
from governance.models import DataCategory, User
from governance.vocabulary import LONGEST_PASSWORD
from portal.cards import Card
from portal.templatetags.plain import description, label

LENGTHS = (7, 30)  # days that are offered besides the longest
LONGEST_NAME = User._meta.get_field("username").max_length


class SignIn(forms.Form):
    name = forms.CharField(
        label=_("Your name here"),
        help_text=_("The made-up name you chose."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    passphrase = forms.CharField(
        label=_("Your secret words"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Names(forms.Form):
    passphrase = forms.CharField(
        label=_("Your secret words"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OwnKey(Names):
    sure = forms.BooleanField(
        label=_("I have read this, and I want the key."),
        error_messages={"required": _("Tick the box if you want the key.")},
    )


class Pause(forms.Form):
    FOREVER = "open"

    until = forms.ChoiceField(
        label=_("For how long?"),
        choices=[
            (FOREVER, _("Until I start it again")),
            ("7", _("7 days")),
            ("30", _("30 days")),
        ],
        initial=FOREVER,
        widget=forms.RadioSelect,
    )


class Choice(forms.Form):
    """What she says yes to, kind by kind; nothing is chosen for her."""

    NO, YES = "no", "yes"

    def __init__(self, data: Any = None, *, asked: Asked) -> None:
        super().__init__(data)
        self.asked = asked
        for category in asked.categories:
            self.fields[f"kind-{category.code}"] = forms.ChoiceField(
                label=label(category),
                help_text=description(category),
                choices=[(self.NO, _("No")), (self.YES, _("Yes"))],
                initial=self.NO,
                widget=forms.RadioSelect,
            )
        most = asked.proposal.days
        lengths = sorted({most, *(days for days in LENGTHS if days < most)})
        self.fields["length"] = forms.ChoiceField(
            label=_("For how long?"),
            choices=[(str(days), in_days(days)) for days in lengths],
            initial=str(lengths[0]),
            widget=forms.RadioSelect,
        )

    @property
    def kinds(self) -> list[forms.BoundField]:
        return [self[f"kind-{category.code}"] for category in self.asked.categories]

    @property
    def chosen(self) -> list[DataCategory]:
        return [
            category
            for category in self.asked.categories
            if self.cleaned_data.get(f"kind-{category.code}") == self.YES
        ]

    @property
    def days(self) -> int:
        return int(self.cleaned_data["length"])


class Tick(forms.CheckboxInput):
    """A box under a signature: only what a browser sends of a ticked one is a tick."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        return bool(data.get(name) == "on")


class Signing(forms.Form):
    """Her name under what she has checked."""

    read = forms.BooleanField(
        label=_("All of this is clear to me."),
        widget=Tick,
        error_messages={"required": _("Tick the box if all of this is clear to you.")},
    )
    lawyer = forms.BooleanField(
        label=_("I know that I can talk to a lawyer first."),
        widget=Tick,
        error_messages={"required": _("Tick the box if you know this.")},
    )
    signature = forms.CharField(
        label=_("Your name here"),
        help_text=_("Type the made-up name that you sign in with."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, data: Any = None, *, asked: Asked, name: str) -> None:
        super().__init__(data)
        self.name = name
        if not asked.cautious:
            del self.fields["lawyer"]

    def clean_signature(self) -> str:
        written = str(self.cleaned_data["signature"]).strip()
        if written.casefold() != self.name.casefold():
            raise forms.ValidationError(_("This is not the name that you sign in with."))
        return written


class Change(forms.Form):
    """Less than now: kinds that stay, and an earlier end."""

    KEEP = "keep"

    def __init__(self, data: Any = None, *, card: Card, at: datetime) -> None:
        super().__init__(data)
        self.card, self.at = card, at
        kinds = card.sharing.categories
        self.fields["kinds"] = forms.MultipleChoiceField(
            label=_("What still goes to them?"),
            choices=[(category.code, label(category)) for category in kinds],
            initial=[category.code for category in kinds],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": _("Leave one kind ticked. To share nothing, press “Stop sharing”.")
            },
        )
        left = (card.sharing.until - at).days
        self.fields["until"] = forms.ChoiceField(
            label=_("Until when?"),
            choices=[
                (self.KEEP, _("Until the same day as now")),
                *((str(days), in_days(days)) for days in LENGTHS if days < left),
            ],
            initial=self.KEEP,
            widget=forms.RadioSelect,
        )

    @property
    def kept(self) -> list[DataCategory]:
        wanted = set(self.cleaned_data["kinds"])
        return [each for each in self.card.sharing.categories if each.code in wanted]

    @property
    def ends(self) -> datetime | None:
        chosen = self.cleaned_data["until"]
        return None if chosen == self.KEEP else self.at + timedelta(days=int(chosen))


class Never(forms.Form):
    """One standing no: to a place, a kind of place, a reason, a kind of information, or all."""

    ALL = "all"

    place = forms.ChoiceField(label=_("A place"), required=False)
    kind = forms.ChoiceField(label=_("A kind of place"), required=False)
    reason = forms.ChoiceField(label=_("A reason"), required=False)
    what = forms.ChoiceField(label=_("A kind of information"), required=False)
    everything = forms.ChoiceField(required=False, choices=[(ALL, ALL)])

    def __init__(self, data: Any = None, *, choices: Mapping[str, list[tuple[str, str]]]) -> None:
        super().__init__(data)
        for name, found in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("Choose")), *found]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(cleaned.values()) and not self.errors:
            raise forms.ValidationError(_("Choose what you never want."))
        return cleaned


class Mend(forms.Form):
    """One kind of information that is wrong, or is not to be shared for now, and where it is kept."""

    where = forms.ChoiceField(label=_("Where is it kept?"))
    what = forms.ChoiceField(
        label=_("What is it about?"), error_messages={"required": _("Choose what it is about.")}
    )
    kind = forms.ChoiceField(
        label=_("What do you want?"),
        choices=[
            (Contested.CORRECTION, _("Something is wrong. Check it.")),
            (Contested.RESTRICTION, _("Do not share it for now.")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you want.")},
    )

    def __init__(
        self, data: Any = None, *, where: list[tuple[str, str]], what: list[tuple[str, str]]
    ) -> None:
        super().__init__(data)
        self.fields["where"].choices = where  # type: ignore[attr-defined]
        if len(where) == 1:
            self.fields["where"].widget = forms.HiddenInput()
            self.fields["where"].initial = where[0][0]
        self.fields["what"].choices = [("", _("Choose")), *what]  # type: ignore[attr-defined]


def in_days(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


CODE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
NEW = {"autocomplete": "new-password", "spellcheck": "false", "autocapitalize": "none"}


class Code(forms.Form):
    """A code of ten signs from a sheet of paper."""

    code = forms.CharField(
        label=_("Your code"),
        help_text=_("It has ten signs. Capitals and the line in the middle do not matter."),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class ShutCode(forms.Form):
    code = forms.CharField(
        label=_("The code that shuts your page"),
        help_text=_("It stands at the end of your paper."),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class BackIn(forms.Form):
    """Her made-up name, and one code of her paper."""

    name = forms.CharField(
        label=_("Your name here"),
        help_text=_("The made-up name you chose."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={**CODE, "autocomplete": "username"}),
    )
    code = forms.CharField(
        label=_("One code from your paper"),
        max_length=codes.LONGEST,
        widget=forms.TextInput(attrs=CODE),
    )


class MadeUpName(forms.Form):
    """One of the names on offer; her own name is not one of them."""

    name = forms.ChoiceField(
        label=_("Which name do you want here?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the names.")},
    )

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].choices = [(name, name) for name in offered]  # type: ignore[attr-defined]


class Words(forms.Form):
    """The words on offer, typed back; or words of her own, typed twice.

    The account's own rules are asked by the deed.
    """

    typed = forms.CharField(
        label=_("Type the five words here"),
        max_length=LONGEST_PASSWORD,
        required=False,
        widget=forms.TextInput(attrs=NEW),
    )
    password = forms.CharField(
        label=_("Your own words"),
        help_text=_("12 signs or more. Not your name, and not a day that others know."),
        max_length=LONGEST_PASSWORD,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs=NEW),
    )
    again = forms.CharField(
        label=_("The same words again"),
        max_length=LONGEST_PASSWORD,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs=NEW),
    )

    def __init__(self, *args: Any, offered: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered

    def clean(self) -> dict[str, Any]:
        typed = " ".join(self.cleaned_data.get("typed", "").lower().split())
        own, again = self.cleaned_data.get("password", ""), self.cleaned_data.get("again", "")
        if typed and typed != self.offered:
            self.add_error(
                "typed", _("These are not the five words above. Look again, word by word.")
            )
        elif not typed and own != again and not {"password", "again"} & self.errors.keys():
            self.add_error("again", _("The two differ. Type the same words twice."))
        elif not typed and not own and not self.errors:
            self.add_error("typed", _("Type the words here."))
        return {"chosen": typed or own}


class Speak(forms.Form):
    language = forms.ChoiceField(
        label=_("In which language should we meet you?"),
        choices=settings.LANGUAGES,
        widget=forms.RadioSelect,
    )


class Close(Names):
    sure = forms.BooleanField(
        label=_("I have read this, and I want to close my page."),
        error_messages={"required": _("Tick the box if you want this.")},
    )
