"""Choosing secret words: five on offer, typed back, or words of one's own."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal import offers
from portal.forms import OfferedWords, OwnWords

OFFERED = "words_offered"


@dataclass(frozen=True)
class Step:
    """The page as it stands: `chosen` are the words, once they are."""

    request: HttpRequest
    offered: str
    chosen: str
    typed: OfferedWords
    own: OwnWords

    def page(self, template: str, **more: Any) -> HttpResponse:
        shown = {"words": self.offered.split(), "form": self.typed, "own": self.own, **more}
        return render(self.request, template, shown)


def step(request: HttpRequest) -> Step:
    """What she chose, or the page on which she does; other words where she asks for others."""
    posted = request.POST if request.method == "POST" else {}
    offered = "" if "others" in posted else offers.kept(request, OFFERED)
    if not offered:
        offered = offers.phrase()
        offers.keep(request, OFFERED, offered)
    typed = OfferedWords(posted if "typed" in posted else None, offered=offered)
    own = OwnWords(posted if "own" in posted else None)
    chosen = ""
    if typed.is_bound and typed.is_valid():
        chosen = typed.cleaned_data["typed"]
    elif own.is_bound and own.is_valid():
        chosen = own.cleaned_data["own"]
    return Step(request, offered, chosen, typed, own)
