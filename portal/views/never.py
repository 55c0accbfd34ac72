"""What she never wants: standing noes, each said at once, and taken back only after a wait."""

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import liftings, objections
from consent.queries import hiding, proposals, sharing
from consent.queries import objections as noes
from governance.models import DataCategory, Organisation, Purpose
from governance.vocabulary import OrganisationKind
from portal.forms import Never
from portal.places import Place, names_shown
from portal.templatetags.plain import label
from portal.views.sharing import her, her_places, her_shared

Choices = Mapping[str, list[tuple[str, str]]]


@require_http_methods(["GET", "POST"])
def never(request: HttpRequest) -> HttpResponse:
    met = _met(request)
    form = Never(request.POST if request.method == "POST" else None, choices=_choices(request, met))
    if request.method == "GET" or not form.is_valid():
        return _page(request, form)
    chosen = form.cleaned_data
    subject = sharing.subjects(her(request)).first()
    if subject is None:
        return redirect("portal:never")  # nobody keeps anything of hers
    try:
        objections.make(
            subject=subject,
            recipient=next((each for each in met if each.ref == chosen["place"]), None),
            recipient_kind=OrganisationKind(chosen["kind"]) if chosen["kind"] else None,
            purpose=Purpose.objects.filter(code=chosen["reason"]).first(),
            category=DataCategory.objects.filter(code=chosen["what"]).first(),
            by=her(request),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except RuleBroken as error:
        if error.code != "already_objected":  # sent twice: the first one did it
            raise
    return redirect("portal:never")


@require_POST
def undo(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask that a no be taken back; it stands until its wait is over."""
    found = _hers(request, ref)
    try:
        liftings.ask(objection=found.objection, by=her(request), at=timezone.now(), via=Via.PORTAL)
    except RuleBroken as error:
        if error.code != "lifting_already":
            raise
    return redirect("portal:never")


@require_POST
def keep(request: HttpRequest, ref: str) -> HttpResponse:
    found = _hers(request, ref)
    if found.lifting is not None:
        liftings.cancel(lifting=found.lifting, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:never")


@require_POST
def now(request: HttpRequest, ref: str) -> HttpResponse:
    """Without the rest of the wait; only here, only by herself."""
    found = _hers(request, ref)
    if found.lifting is not None:
        liftings.waive(lifting=found.lifting, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:never")


def _hers(request: HttpRequest, ref: str) -> noes.No:
    """One of hers. What is somebody else's is not found, in the same words as what is nowhere."""
    found = noes.one(her(request), ref)
    if found is None:
        raise Http404
    return found


def _met(request: HttpRequest) -> list[Organisation]:
    """Whoever she ever shared with or was asked for; of others nobody tells her the name here."""
    shared = sorted(her_shared(request), key=lambda one: one.consent.pk)
    hidden = hiding.recipients(her(request))
    asked = [each for each in proposals.recipients(her(request)) if each.pk not in hidden]
    found = [*(one.recipient for one in shared), *asked]
    return list({each.pk: each for each in found}.values())


def _choices(request: HttpRequest, met: list[Organisation]) -> Choices:
    places = _places(request)
    purposes = Purpose.objects.filter(retired_at__isnull=True)
    return {
        "place": [(each.ref, str(places[each.pk])) for each in met],
        "kind": [(kind.value, str(capfirst(kind.label))) for kind in OrganisationKind],
        "reason": [(each.code, label(each)) for each in purposes],
        "what": [(each.code, label(each)) for each in DataCategory.objects.order_by("code")],
    }


def _places(request: HttpRequest) -> dict[int, Place]:
    shared = her_shared(request)
    places = her_places(request, shared)
    return {each.pk: places.of(each) for each in _met(request)}


def _page(request: HttpRequest, form: Never) -> HttpResponse:
    places = _places(request)
    standing = noes.of(her(request))
    rows = [
        (each, places.get(each.objection.recipient_id) if each.objection.recipient_id else None)
        for each in standing
    ]
    return render(
        request,
        "portal/never.html",
        {"noes": rows, "form": form, "named": names_shown(request)},
    )
