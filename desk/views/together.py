"""A yes recorded together: chosen, read back in her language, and only then signed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from consent.actions import consents
from consent.models import Assignment, Terms
from consent.queries.keeping import until
from consent.queries.proposals import Askable, askable
from consent.rules import QUESTIONS
from consent.vocabulary import Channel, Signer
from desk.forms.clients import SignedForm, YesForm
from desk.hand import hand
from desk.views.clients import mine
from governance.models import DataCategory, Organisation, Purpose
from release.rules.timing import delete_by


@dataclass(frozen=True)
class Chosen:
    """What she is to hear before she signs."""

    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    categories: list[DataCategory]
    terms: Terms
    until: datetime

    @property
    def delete_by(self) -> datetime:
        """By when they must have deleted it, if nothing ends it sooner."""
        return delete_by(self.until, self.kept_until)

    @property
    def kept_until(self) -> datetime | None:
        """Until when they may keep what they got, where the text names a day."""
        return until(self.terms.keep_until)


@require_GET
def choose(request: HttpRequest, ref: str) -> HttpResponse:
    found = mine(request, ref)
    form = YesForm(holder=found.subject.holder, askable=askable(hand(request)["at"]))
    return _choose(request, found, form)


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, ref: str) -> HttpResponse:
    """Read back what was chosen; nothing is kept of it before it is signed."""
    found = mine(request, ref)
    if request.method == "GET":
        return redirect("desk:yes", ref)
    may = askable(hand(request)["at"])
    form = YesForm(request.POST, holder=found.subject.holder, askable=may)
    if not form.is_valid():
        return _choose(request, found, form)
    return _check(request, found, form, may, SignedForm(), 200)


@sensitive_post_parameters("signature")
@require_POST
def sign(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found, may = mine(request, ref), askable(now["at"])
    form = YesForm(request.POST, holder=found.subject.holder, askable=may)
    if not form.is_valid():
        return _choose(request, found, form)
    signed = SignedForm(request.POST)
    if not signed.is_valid():
        return _check(request, found, form, may, signed, 200)
    chosen = _chosen(found, form, may, now["at"])
    try:
        consents.give(
            subject=found.subject,
            recipient=chosen.recipient,
            purpose=chosen.purpose,
            categories=chosen.categories,
            terms=chosen.terms,
            channel=Channel(signed.cleaned_data["channel"]),
            signer=Signer.SELF,
            signature=signed.cleaned_data["signature"],
            answers="y" * QUESTIONS,
            signed_at=now["at"],
            ends=chosen.until,
            **now,
        )
    except (RuleBroken, BadInput) as refusal:
        signed.add_error(None, refusal.told)
        status = 400 if isinstance(refusal, BadInput) else 409
        return _check(request, found, form, may, signed, status)
    messages.success(request, _("Recorded. She can stop it at any time, by a word to anybody."))
    return redirect("desk:client", ref)


def _choose(request: HttpRequest, found: Assignment, form: YesForm) -> HttpResponse:
    return render(request, "desk/yes.html", {"found": found, "form": form})


def _check(
    request: HttpRequest,
    found: Assignment,
    form: YesForm,
    may: Askable,
    signed: SignedForm,
    status: int,
) -> HttpResponse:
    chosen = _chosen(found, form, may, hand(request)["at"])
    page = {"found": found, "chosen": form, "form": signed, "read": _read(chosen)}
    return render(request, "desk/yes_check.html", page, status=status)


def _chosen(found: Assignment, form: YesForm, may: Askable, at: datetime) -> Chosen:
    words = form.cleaned_data
    return Chosen(
        holder=found.subject.holder,
        recipient=next(each for each in may.recipients if each.ref == words["recipient"]),
        purpose=next(each for each in may.purposes if each.code == words["purpose"]),
        categories=[each for each in may.categories if each.code in words["kinds"]],
        terms=next(each for each in may.terms if str(each) == words["terms"]),
        until=at + timedelta(days=words["days"]),
    )


def _read(chosen: Chosen) -> str:
    """What is read to her, in her language whatever the desk's is."""
    with translation.override(chosen.terms.language):
        return render_to_string("desk/yes_read.html", {"chosen": chosen})
