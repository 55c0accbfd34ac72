"""A copy of her list to take home, and, only if she asks for it by itself, her own key."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.days import day_of
from consent.queries import hiding, receipts, sharing
from portal import again, attempts, copies
from portal.forms import Names, OwnKey
from portal.own_forms import Whole
from portal.views.sharing import her
from release.queries import proofs


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest) -> HttpResponseBase:
    form = Whole(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return render(request, "portal/copy.html", {"form": form})
    wrong = why_not(request, form)
    if wrong:
        status = 200 if wrong == "credentials" else 429
        return render(request, "portal/copy.html", {"form": form, "wrong": wrong}, status=status)
    at = timezone.now()
    hidden = frozenset[int]()
    if not form.cleaned_data["hidden"]:
        hidden = hiding.recipients(her(request))
    shared = sharing.of(her(request), at)
    yeses = [receipts.of(one) for one in shared if one.recipient.pk not in hidden]
    found = copies.zipped(proofs.copy(her(request), without=hidden), yeses, at)
    return saved(
        StreamingHttpResponse(found, content_type="application/zip"), f"notes-{day_of(at):%F}.zip"
    )


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def own_key(request: HttpRequest) -> HttpResponseBase:
    form = OwnKey(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/own_key.html", {"form": form})
    wrong = again.right(request, form)
    if wrong:
        status = 200 if wrong == "credentials" else 429
        return render(request, "portal/own_key.html", {"form": form, "wrong": wrong}, status=status)
    text = proofs.own_keys(her(request))
    file = HttpResponse(text, content_type="text/plain; charset=utf-8")
    return saved(file, f"notes-key-{day_of(timezone.now()):%F}.txt")


def why_not(request: HttpRequest, form: Names) -> str:
    """Why no file is given: her words were wrong, or too many tries, or files. Empty where one is."""
    return again.right(request, form) or ("" if attempts.copies_left(request) else "copies")


def saved(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """A file that the browser saves and does not open."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
