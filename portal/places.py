"""The quiet view: who receives is "Place 1" until she asks for names.

A list of where somebody was helped is a map of her way; whoever looks over her shoulder, or holds
her unlocked device, sees numbers.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from governance.models import Organisation

SHOWN_FOR = 5 * 60  # seconds
KEY = "names_until"


@dataclass(frozen=True)
class Place:
    """One organisation as a page may call it: by number, and by name only while names are shown."""

    number: int
    name: str

    def __str__(self) -> str:
        return self.name or _("Place %(number)s") % {"number": self.number}


class Places:
    """Numbers that stay the same on every page: in the order in which she first met them."""

    def __init__(self, met: Iterable[Organisation], *, named: bool) -> None:
        self.numbers: dict[int, int] = {}
        self.named = named
        for organisation in met:
            self.numbers.setdefault(organisation.pk, len(self.numbers) + 1)

    def of(self, organisation: Organisation) -> Place:
        return Place(
            number=self.numbers[organisation.pk], name=organisation.name if self.named else ""
        )


def show_names(request: HttpRequest) -> None:
    request.session[KEY] = int(time.time()) + SHOWN_FOR


def hide_names(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def names_shown(request: HttpRequest) -> bool:
    return int(request.session.get(KEY, 0)) > time.time()
