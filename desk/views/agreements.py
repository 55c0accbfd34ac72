"""Agreements: read, sign, suspend, resume, end."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from desk import standing
from desk.hand import hand
from governance import permissions
from governance.actions import agreements
from governance.models import Agreement
from governance.queries import agreements as readings
from governance.vocabulary import AgreementState


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    now = hand(request)
    waiting = set(readings.to_sign(now["by"], now["at"]).values_list("pk", flat=True))
    rows = [(found, found.pk in waiting) for found in readings.visible_to(now["by"], now["at"])]
    return render(request, "desk/agreements.html", {"rows": rows})


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    found = _visible(request, ref)
    by = hand(request)["by"]
    signatures = list(found.signatures.select_related("organisation").order_by("signed_at"))
    signed = {signature.organisation_id for signature in signatures}
    parties = {found.holder_id, found.recipient_id}
    page = {
        "agreement": found,
        "datasets": [row.dataset for row in found.datasets.select_related("dataset")],
        "purposes": [row.purpose for row in found.purposes.select_related("purpose")],
        "categories": [row.category for row in found.categories.select_related("category")],
        "signatures": signatures,
        "may_sign": [
            organisation
            for organisation in standing.mine(request).administers
            if found.state == AgreementState.DRAFT and organisation.pk in parties - signed
        ],
        "may_suspend": found.state == AgreementState.IN_FORCE
        and permissions.can_suspend(by, found),
        "may_resume": found.state == AgreementState.SUSPENDED
        and permissions.can_administer(by, found.holder),
        "may_end": found.state in {AgreementState.IN_FORCE, AgreementState.SUSPENDED}
        and permissions.can_negotiate(by, found.holder, found.recipient),
    }
    return render(request, "desk/agreement.html", page)


@require_POST
def sign(request: HttpRequest, ref: str) -> HttpResponse:
    found = _visible(request, ref)
    parties = {party.ref: party for party in (found.holder, found.recipient)}
    organisation = parties.get(request.POST.get("organisation", ""))
    if organisation is None:
        raise Http404
    agreements.sign(agreement=found, organisation=organisation, **hand(request))
    messages.success(request, _("Signed."))
    return redirect("desk:agreement", ref=found.ref)


@require_POST
def suspend(request: HttpRequest, ref: str) -> HttpResponse:
    told = _("Suspended. From this moment nothing leaves under this agreement.")
    return _do(request, ref, agreements.suspend, told)


@require_POST
def resume(request: HttpRequest, ref: str) -> HttpResponse:
    return _do(request, ref, agreements.resume, _("The agreement is in force again."))


@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    return _do(
        request, ref, agreements.end, _("Ended, for good. Nothing leaves under it any more.")
    )


def _do(request: HttpRequest, ref: str, deed: Callable[..., Agreement], told: str) -> HttpResponse:
    found = _visible(request, ref)
    deed(agreement=found, **hand(request))
    messages.success(request, told)
    return redirect("desk:agreement", ref=found.ref)


def _visible(request: HttpRequest, ref: str) -> Agreement:
    now = hand(request)
    return get_object_or_404(readings.visible_to(now["by"], now["at"]), ref=ref)
