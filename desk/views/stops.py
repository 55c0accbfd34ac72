"""A stop said aloud, recorded by any advocate of the holder: effective at once."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import stops
from desk import standing
from desk.forms.deeds import StopForm
from desk.hand import hand
from governance.models import Organisation, User
from governance.queries import agreements


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    holders = standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    recipients = _recipients(now["by"], now["at"], holders)
    form = StopForm(request.POST or None, holders=holders, recipients=recipients)
    status = 200
    if request.method == "POST" and form.is_valid():
        by_ref = {organisation.ref: organisation for organisation in [*holders, *recipients]}
        try:
            stops.record(
                holder=by_ref[form.cleaned_data["holder"]],
                number=form.cleaned_data["number"],
                recipient=by_ref.get(form.cleaned_data["recipient"]),
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            return redirect("desk:stop-done")
    return render(request, "desk/stop.html", {"form": form}, status=status)


@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """Says that it is recorded and nothing else: what she shared is not the advocate's to see."""
    return render(request, "desk/stop_done.html")


def _recipients(by: User, at: datetime, holders: list[Organisation]) -> list[Organisation]:
    """With whom these organisations have ever agreed to share."""
    signed = agreements.visible_to(by, at).filter(holder__in=holders)
    found = {agreement.recipient_id: agreement.recipient for agreement in signed}
    return sorted(found.values(), key=lambda organisation: organisation.name)
