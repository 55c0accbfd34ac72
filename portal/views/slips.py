"""The slip of one yes: to read, to print, and as files that she saves after her words once more."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from common.days import day_of
from consent.queries import receipts
from interop.receipts import delete_by
from portal import copies, slips
from portal.forms import Names
from portal.places import names_shown
from portal.views.copies import saved, why_not
from portal.views.sharing import her_card


@require_GET
def slip(request: HttpRequest, ref: str) -> HttpResponse:
    card = her_card(request, ref)
    receipt = receipts.of(card.sharing)
    page = {
        "card": card,
        "receipt": receipt,
        "happened": slips.told(receipt),
        "delete_by": delete_by(receipt),
        "named": names_shown(request),
    }
    return render(request, "portal/slip.html", page)


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest, ref: str) -> HttpResponseBase:
    card = her_card(request, ref)
    form = Names(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return render(request, "portal/slip_copy.html", {"form": form, "card": card})
    wrong = why_not(request, form)
    if wrong:
        status = 200 if wrong == "credentials" else 429
        page = {"form": form, "card": card, "wrong": wrong}
        return render(request, "portal/slip_copy.html", page, status=status)
    at = timezone.now()
    found = slips.zipped(receipts.of(card.sharing), at, copies.SCRIPT.read_bytes())
    return saved(
        StreamingHttpResponse(found, content_type="application/zip"), f"notes-{day_of(at):%F}.zip"
    )
