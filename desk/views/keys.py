"""The public key to which an organisation's packages are sealed."""

from textwrap import wrap
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from desk import standing
from desk.forms.deeds import KeyForm
from desk.forms.signin import ProveAgainForm
from desk.hand import hand
from governance.actions import keys
from governance.models import RecipientKey
from governance.queries import people
from governance.rules import fingerprint


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    organisations = standing.mine(request).administers
    if not organisations:
        raise PermissionDenied
    rows = [
        (organisation, _shown(people.current_key(organisation))) for organisation in organisations
    ]
    return render(request, "desk/keys.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, ref: str) -> HttpResponse:
    administered = {o.ref: o for o in standing.mine(request).administers}
    if ref not in administered:
        raise Http404
    now = hand(request)
    form = KeyForm(request.POST or None, user=now["by"])
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            keys.register(
                organisation=administered[ref],
                public_key=form.cleaned_data["public_key"],
                confirmed=form.cleaned_data["fingerprint"],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            field = "fingerprint" if refusal.code == "fingerprint" else "public_key"
            form.add_error(field, refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            messages.success(
                request, _("The key is registered. Packages are sealed to it from now on.")
            )
            return redirect("desk:keys")
    page = {
        "form": form,
        "organisation": administered[ref],
        "before": _shown(people.current_key(administered[ref])),
    }
    return render(request, "desk/key.html", page, status=status)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, ref: str) -> HttpResponse:
    """The key is lost and no new one is at hand: nothing is sealed to it any more."""
    administered = {o.ref: o for o in standing.mine(request).administers}
    key = people.current_key(administered[ref]) if ref in administered else None
    if key is None:
        raise Http404
    now = hand(request)
    form = ProveAgainForm(request.POST or None, user=now["by"])
    if request.method == "POST" and form.is_valid():
        keys.end(key=key, **now)
        messages.success(request, _("The key has ended. Nothing is handed over until a new one."))
        return redirect("desk:keys")
    page = {"form": form, "organisation": administered[ref], "before": _shown(key)}
    return render(request, "desk/key_end.html", page)


def _shown(key: RecipientKey | None) -> dict[str, Any] | None:
    """A key and its fingerprint in groups of four."""
    if key is None:
        return None
    return {"key": key, "fingerprint": " ".join(wrap(fingerprint(key.public_key)[:16], 4))}
