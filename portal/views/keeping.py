"""That a record of hers is to be wiped, which she can stop; and that the law keeps one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import shredding
from consent.queries import shredding as queries
from portal.places import names_shown
from portal.views.sharing import her


@require_GET
def record(request: HttpRequest) -> HttpResponse:
    waiting, kept = queries.of_account(her(request), timezone.now())
    page = {"waiting": waiting, "kept": kept, "named": names_shown(request)}
    return render(request, "portal/record.html", page)


@require_POST
def keep(request: HttpRequest, ref: str) -> HttpResponse:
    """She stops it. What is somebody else's is not found, in the same words as what is nowhere."""
    waiting, _kept = queries.of_account(her(request), timezone.now())
    found = next((each.shredding for each in waiting if each.shredding.ref == ref), None)
    if found is None:
        raise Http404
    try:
        shredding.call_off(shredding=found, by=her(request), at=timezone.now(), via=Via.PORTAL)
    except RuleBroken as error:
        if error.code != "not_open":  # sent twice: the first one did it
            raise
    return redirect("portal:record")
