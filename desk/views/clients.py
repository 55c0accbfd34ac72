"""The people whom an advocate helps: her list with her, handing on, stops to ask about."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from consent.actions import assignments, blocks, looks, stops
from consent.models import Assignment
from consent.queries import contests, helping, objections, questions, sharing
from consent.vocabulary import Checked
from desk import standing, told
from desk.forms.clients import BlockForm, CheckedForm, FindForm, HandOnForm, How
from desk.hand import hand
from governance.models import Organisation
from release.queries import accounting
from release.rules.timing import DELETE_WITHIN

ROWS = 500
"""Lines of one list that a page shows; whoever has more takes a copy on her own page."""


@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def many(request: HttpRequest) -> HttpResponse:
    """Whom somebody helps, and the way to a page by client number."""
    now, holders, status = hand(request), _holders(request), 200
    form = FindForm(request.POST or None, holders=holders)
    if request.method == "POST" and form.is_valid():
        found = helping.by_number(now["by"], _chosen(form, holders), form.cleaned_data["number"])
        if found is not None:
            return redirect("desk:client", found.ref)
        form.add_error("number", _("Nobody with this number is with you. Check it with her."))
        status = 409
    return _many(request, form, status)


@sensitive_post_parameters("number")
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Beginning to help somebody whom nobody ever helped."""
    now, holders = hand(request), _holders(request)
    form = FindForm(request.POST, holders=holders)
    if not form.is_valid():
        return _many(request, form, 200)
    try:
        made = assignments.begin(
            holder=_chosen(form, holders), number=form.cleaned_data["number"], **now
        )
    except (RuleBroken, BadInput) as refusal:
        form.add_error("number", refusal.told)
        return _many(request, form, 400 if isinstance(refusal, BadInput) else 409)
    return redirect("desk:client", made.ref)


@require_GET
def one(request: HttpRequest, ref: str) -> HttpResponse:
    """Her whole list, to read with her or to print; the look is kept before it is shown."""
    now = hand(request)
    found = mine(request, ref)
    looks.look(subject=found.subject, **now)
    events = accounting.uses_of(found.subject)
    page = {
        "found": found,
        "sharings": sharing.of_subject(found.subject, now["at"]),
        "delete_within": DELETE_WITHIN,
        "noes": objections.of_subject(found.subject),
        "contests": contests.of_subject(found.subject),
        "questions": questions.of_subject(found.subject),
        "lines": [(each, told.line(each)) for each in events[:ROWS]],
        "more": len(events) > ROWS,
        "stops": helping.unchecked(found.subject),
    }
    return render(request, "desk/client.html", page)


@require_http_methods(["GET", "POST"])
def checked(request: HttpRequest, ref: str, stop: str) -> HttpResponse:
    """What she says, asked about a stop that was recorded in her name."""
    found = mine(request, ref)
    if request.method == "GET":
        looks.look(subject=found.subject, **hand(request))
    asked = get_object_or_404(helping.unchecked(found.subject), ref=stop)
    form = CheckedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = Checked(form.cleaned_data["checked"])
        stops.check(stop=asked, checked=answer, **hand(request))
        messages.success(request, _("Kept. It stays stopped; sharing again is a new yes."))
        return redirect("desk:client", ref)
    return render(request, "desk/stop_check.html", {"found": found, "stop": asked, "form": form})


@require_http_methods(["GET", "POST"])
def hand_on(request: HttpRequest, ref: str) -> HttpResponse:
    """Another advocate helps her: by whoever does now, or by an administrator."""
    now = hand(request)
    found, own = helping.one(now["by"], ref), True
    if found is None:
        waits = helping.waiting(standing.mine(request).administers)
        found, own = get_object_or_404(waits, ref=ref), False
    workers = {
        each.user.ref: each.user
        for each in helping.helper_roles(found.subject.holder)
        if not own or each.user_id != now["by"].pk
    }
    form = HandOnForm(request.POST or None, workers=workers.values())
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            assignments.hand_on(
                assignment=found,
                worker=workers[form.cleaned_data["worker"]],
                stays=own and form.cleaned_data["how"] == How.BESIDE,
                **now,
            )
        except RuleBroken as refusal:
            form.add_error("worker", refusal.told)
            status = 409
        else:
            messages.success(request, _("Handed on."))
            return redirect("desk:clients" if own else "desk:clients-waiting")
    page = {"found": found, "form": form, "own": own}
    return render(request, "desk/hand_on.html", page, status=status)


@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Whom nobody helps any more: references and colleagues, nothing of anybody."""
    administered = standing.mine(request).administers
    if not administered:
        raise PermissionDenied
    page = {"rows": helping.waiting(administered)}
    return render(request, "desk/clients_waiting.html", page)


@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest) -> HttpResponse:
    """On her word a colleague is kept away; what was so already is not said."""
    now, holders = hand(request), _holders(request)
    workers = {each.ref: each for holder in holders for each in helping.workers(holder)}
    form = BlockForm(request.POST or None, holders=holders, workers=workers.values())
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            blocks.block_by_number(
                holder=_chosen(form, holders),
                number=form.cleaned_data["number"],
                worker=workers[form.cleaned_data["worker"]],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("number", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            messages.success(request, _("Recorded. Only she can change it back, on her own page."))
            return redirect("desk:block")
    return render(request, "desk/block.html", {"form": form}, status=status)


def _many(request: HttpRequest, form: FindForm, status: int) -> HttpResponse:
    now = hand(request)
    by = now["by"]
    page = {
        "form": form,
        "questions": questions.of_helped(by, now["at"]),
        "rows": helping.mine(by),
        "to_check": set(helping.to_check(by).values_list("subject_id", flat=True)),
    }
    return render(request, "desk/clients.html", page, status=status)


def mine(request: HttpRequest, ref: str) -> Assignment:
    """One of those whom somebody helps. Anybody else is not found, nor is whoever keeps them away."""
    found = helping.one(hand(request)["by"], ref)
    if found is None:
        raise Http404
    return found


def _holders(request: HttpRequest) -> list[Organisation]:
    holders = standing.mine(request).advises
    if not holders:
        raise PermissionDenied
    return holders


def _chosen(form: FindForm, holders: list[Organisation]) -> Organisation:
    return next(each for each in holders if each.ref == form.cleaned_data["holder"])
