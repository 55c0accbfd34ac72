"""Who helps her, who looked at her page there, and whom she keeps away."""

from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import blocks
from consent.queries import helping
from portal import again
from portal.places import Place, Places, names_shown
from portal.views.sharing import her

DAYS = 20
"""The latest days of one helper's that a page shows."""


@dataclass(frozen=True)
class Shown:
    """One helper by number, and by name only while names are shown."""

    number: int
    helper: helping.Helper
    place: Place
    name: str

    @property
    def days(self) -> list[date]:
        """The days on which they looked, the latest first."""
        found = {timezone.localtime(hour).date() for hour in self.helper.looked}
        return sorted(found, reverse=True)[:DAYS]


@again.first
@require_GET
def helpers(request: HttpRequest) -> HttpResponse:
    page = {"helpers": _shown(request), "named": names_shown(request)}
    return render(request, "portal/helpers.html", page)


@require_POST
@again.before("portal:helpers")
def keep_away(request: HttpRequest, ref: str) -> HttpResponse:
    """From now on this helper sees her page no more."""
    found = _one(request, ref)
    try:
        blocks.block(
            subject=found.subject,
            worker=found.worker,
            by=her(request),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except RuleBroken as error:
        if error.code != "blocked_already":  # sent twice: the first one did it
            raise
    return redirect("portal:helpers")


@require_POST
@again.before("portal:helpers")
def let_back(request: HttpRequest, ref: str) -> HttpResponse:
    """This helper may see her page again; never without her."""
    found = _one(request, ref)
    if found.block is not None:
        blocks.lift(block=found.block, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:helpers")


def _one(request: HttpRequest, ref: str) -> helping.Helper:
    """One of those on her own page; anybody else is nowhere."""
    for each in helping.of_account(her(request)):
        if each.worker.ref == ref:
            return each
    raise Http404


def _shown(request: HttpRequest) -> list[Shown]:
    found = helping.of_account(her(request))
    named = names_shown(request)
    places = Places([each.holder for each in found], named=named)
    return [
        Shown(
            number=number,
            helper=each,
            place=places.of(each.holder),
            name=each.worker.username if named else "",
        )
        for number, each in enumerate(found, start=1)
    ]
