"""She hides one place from her pages, and shows it again from her settings."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.vocabulary import Via
from consent.actions import hiding
from consent.queries import hiding as queries
from portal import again
from portal.views.sharing import her, her_card


@require_http_methods(["GET", "POST"])
def hide(request: HttpRequest, ref: str) -> HttpResponse:
    """What it does and does not do, and one press."""
    found = her_card(request, ref)
    if request.method == "GET":
        return render(request, "portal/hide.html", {"card": found})
    hiding.hide(consent=found.sharing.consent, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:home")


@again.first
@require_GET
def hidden(request: HttpRequest) -> HttpResponse:
    """What she has hidden, by name: her secret words were typed just now."""
    return render(request, "portal/hidden.html", {"found": queries.of(her(request))})


@require_POST
@again.before("portal:hidden")
def show(request: HttpRequest, ref: str) -> HttpResponse:
    """It is on her pages again; what she did not hide is nowhere."""
    found = queries.of(her(request)).filter(ref=ref).first()
    if found is None:
        raise Http404
    hiding.show(recipient=found, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:hidden")
