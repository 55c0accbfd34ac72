"""Choosing secret words: five on offer, typed back, or words of one's own."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal import offers
from portal.forms import Words

OFFERED = "words_offered"


@dataclass(frozen=True)
class Step:
    """The page as it stands: `chosen` are the words, once they are."""

    request: HttpRequest
    offered: str
    form: Words
    chosen: str

    def page(self, **more: Any) -> HttpResponse:
        shown = {"words": self.offered.split(), "form": self.form, **more}
        return render(self.request, "portal/words.html", shown)

    def weak(self, **more: Any) -> HttpResponse:
        """The account's own rules refuse them."""
        told = _("These words are too easy to guess. Take longer and rarer ones.")
        self.form.add_error("password", told)
        return self.page(**more)


def step(request: HttpRequest) -> Step:
    """What she chose, or the page on which she does; other words where she asks for others."""
    others = "others" in request.POST
    offered = "" if others else offers.kept(request, OFFERED)
    if not offered:
        offered = offers.phrase()
        offers.keep(request, OFFERED, offered)
    posted = request.POST if request.method == "POST" and not others else None
    form = Words(posted, offered=offered)
    chosen = str(form.cleaned_data["chosen"]) if posted is not None and form.is_valid() else ""
    return Step(request, offered, form, chosen)
