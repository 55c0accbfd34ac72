"""Who speaks for a client of one's organisation: written down, ended, stopped, disputed, settled."""

from typing import Any, assert_never

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.days import begins
from common.errors import BadInput, RuleBroken
from consent.actions import consents, deaths, disputes, flags, minorities, representatives
from consent.models import Representative
from consent.queries import speaking as queries
from consent.queries.proposals import askable
from consent.vocabulary import Assent, Channel, Paper, Signer, Speaker, Threat
from desk import standing
from desk.forms.speaking import Noted, NoteForm, RepresentativeForm, SpokenYesForm
from desk.forms.wiping import AgreeWipeForm
from desk.hand import Hand, hand
from governance.models import Organisation

SEVEN = "y" * 7
BY_CODE = {
    **dict.fromkeys(["number_unknown", "number_other"], "number"),
    **dict.fromkeys(["authority_in_past", "longer_than_authority", "too_long"], "ends"),
    "document": "document",
    "majority_in_past": "majority",
    "guardian_by_order": "paper",
    "assent_missing": "assent",
    "signer_from_recipient": "recipient",
}


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    """Who speaks for whom, by reference: no number and no name stands here."""
    now, advises = hand(request), standing.mine(request).advises
    here = _holders(request)
    page = {
        "speakers": queries.speakers(now["at"]).filter(subject__holder__in=advises),
        "disputes": queries.open_disputes().filter(subject__holder__in=advises),
        "minors": queries.minorities().filter(subject__holder__in=advises),
        "grown": queries.of_age(now["at"]).filter(subject__holder__in=advises),
        "deaths": [
            (each, each.counts_at is None and each.reported_by_id != now["by"].pk)
            for each in queries.reported_deaths().filter(subject__holder__in=here)
        ],
        "advises": bool(advises),
    }
    return render(request, "desk/speaking.html", page)


@require_http_methods(["GET", "POST"])
def note(request: HttpRequest) -> HttpResponse:
    """One thing that makes less go out: at once, on an advocate's word."""
    now, holders = hand(request), _advises(request)
    form = NoteForm(request.POST or None, holders=holders)
    status = 200
    if request.method == "POST" and form.is_valid():
        holder = next(each for each in holders if each.ref == form.cleaned_data["holder"])
        try:
            ref = _noted(form.cleaned_data, holder, now)
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("Written down as %(ref)s.") % {"ref": ref})
            return redirect("desk:speaking")
    return render(request, "desk/speaking_note.html", {"form": form}, status=status)


def _noted(chosen: dict[str, Any], holder: Organisation, now: Hand) -> str:
    about: dict[str, Any] = {"holder": holder, "number": chosen["number"], **now}
    match Noted(chosen["noted"]):
        case Noted.MINOR:
            return minorities.record(majority=chosen["majority"], alone=False, **about).ref
        case Noted.ALONE:
            return minorities.record(majority=chosen["majority"], alone=True, **about).ref
        case Noted.FLAG:
            threat = Threat(chosen["threat"])
            return flags.name(who=chosen["who"], threat=threat, **about).ref
        case Noted.DISPUTE:
            return disputes.report(**about).ref
        case Noted.DIED:
            paper = {"document": chosen["document"]} if chosen["document"] else {}
            return deaths.report(**paper, **about).ref
        case never:
            assert_never(never)


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest) -> HttpResponse:
    now, holders = hand(request), _advises(request)
    others = [each for each in askable(now["at"]).recipients if each not in holders]
    form = RepresentativeForm(
        request.POST or None, user=now["by"], holders=holders, organisations=others
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            found = representatives.record(
                holder=next(each for each in holders if each.ref == chosen["holder"]),
                number=chosen["number"],
                kind=Speaker(chosen["kind"]),
                who=chosen["who"],
                paper=Paper(chosen["paper"]),
                document=chosen["document"],
                starts=begins(chosen["starts"]),
                ends=form.until(),
                works_for=next((o for o in others if o.ref == chosen["works_for"]), None),
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("Written down as %(ref)s.") % {"ref": found.ref})
            return redirect("desk:speaking")
    return render(request, "desk/speaking_record.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def yes(request: HttpRequest, ref: str) -> HttpResponse:
    """What one who may speak for her said yes to, from a signed paper."""
    now, found = hand(request), _speaker(request, ref)
    known = askable(now["at"])
    holder = found.subject.holder
    form = SpokenYesForm(request.POST or None, user=now["by"], holder=holder, askable=known)
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            consents.give(
                subject=found.subject,
                recipient=next(o for o in known.recipients if o.ref == chosen["recipient"]),
                purpose=next(p for p in known.purposes if p.code == chosen["purpose"]),
                categories=[c for c in known.categories if c.code in chosen["kinds"]],
                terms=next(t for t in known.terms if str(t) == chosen["terms"]),
                channel=Channel(chosen["channel"]),
                signer=Signer.GUARDIAN,
                signature=chosen["signature"],
                answers=SEVEN,
                signed_at=now["at"],
                ends=form.until(),
                representative=found,
                assent=Assent(chosen["assent"]),
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("This yes is recorded."))
            return redirect("desk:speaking")
    page = {"form": form, "speaker": found}
    return render(request, "desk/speaking_yes.html", page, status=status)


@require_POST
def stop(request: HttpRequest, ref: str) -> HttpResponse:
    representatives.stop(representative=_speaker(request, ref), **hand(request))
    messages.success(request, _("Stopped. Nothing new goes out by what was said for her."))
    return redirect("desk:speaking")


@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    representatives.end(representative=_speaker(request, ref), **hand(request))
    messages.success(request, _("Ended, and so has all that this person said yes to."))
    return redirect("desk:speaking")


@require_POST
def settle(request: HttpRequest, ref: str) -> HttpResponse:
    mine = queries.open_disputes().filter(subject__holder__in=_advises(request))
    disputes.resolve(dispute=get_object_or_404(mine, ref=ref), **hand(request))
    messages.success(request, _("Settled. What was said for her before counts again."))
    return redirect("desk:speaking")


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, ref: str) -> HttpResponse:
    """The second person, who knows the number too."""
    now = hand(request)
    mine = queries.reported_deaths().filter(subject__holder__in=_holders(request))
    found = get_object_or_404(mine, ref=ref)
    form = AgreeWipeForm(request.POST or None, user=now["by"])
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            deaths.agree(death=found, number=form.cleaned_data["number"], **now)
        except (RuleBroken, BadInput) as refusal:
            status = _told(form, refusal)
        else:
            messages.success(request, _("It counts from now on."))
            return redirect("desk:speaking")
    page = {"form": form, "death": found}
    return render(request, "desk/speaking_agree.html", page, status=status)


@require_POST
def take_back(request: HttpRequest, ref: str) -> HttpResponse:
    mine = queries.reported_deaths().filter(subject__holder__in=_holders(request))
    deaths.take_back(death=get_object_or_404(mine, ref=ref), **hand(request))
    messages.success(request, _("Taken back. What had ended stays ended: ask her anew."))
    return redirect("desk:speaking")


def _advises(request: HttpRequest) -> list[Organisation]:
    """Where whoever is at the desk is an advocate. Raises PermissionDenied where nowhere."""
    found = standing.mine(request).advises
    if not found:
        raise PermissionDenied
    return found


def _holders(request: HttpRequest) -> list[Organisation]:
    """The same, or where they administer."""
    mine = standing.mine(request)
    found = {each.pk: each for each in [*mine.advises, *mine.administers]}
    if not found:
        raise PermissionDenied
    return list(found.values())


def _speaker(request: HttpRequest, ref: str) -> Representative:
    """One whose authority is in force, at an organisation where whoever is at the desk advises."""
    mine = queries.speakers(hand(request)["at"]).filter(subject__holder__in=_advises(request))
    return get_object_or_404(mine, ref=ref)


def _told(form: forms.Form, refusal: RuleBroken | BadInput) -> int:
    where = BY_CODE.get(refusal.code) or (getattr(refusal, "where", "") or None)
    form.add_error(where if where in form.fields else None, refusal.told)
    return 400 if isinstance(refusal, BadInput) else 409
