"""The texts people say yes to: written, looked at, and published in both languages at once."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import terms
from consent.actions.terms import NotPublished
from consent.queries import texts
from consent.rules import Problem
from consent.rules.texts import problems
from desk import standing
from desk.forms.texts import NO, TextForm, filled
from desk.hand import hand
from governance.models import Organisation

PUBLISH = "publish"


def _own(request: HttpRequest) -> list[Organisation]:
    found = standing.mine(request).administers
    if not found:
        raise PermissionDenied
    return found


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    found = texts.published_by(_own(request), hand(request)["at"])
    return render(request, "desk/texts.html", {"texts": found})


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Write the next version; nothing is kept before it has been looked at and published."""
    own = _own(request)
    if request.method == "GET":
        code = request.GET.get("of", "")[:40]
        theirs = [each for each in texts.newest(code) if each.publisher in own] if code else []
        form = TextForm(organisations=own, initial=filled(theirs))
        return render(request, "desk/text_write.html", {"form": form})
    form = TextForm(request.POST, organisations=own)
    if not form.is_valid():
        return _shown(request, form, 400)
    chosen = form.cleaned_data
    try:
        if request.POST.get("step") != PUBLISH:
            return _looked_at(request, form)
        terms.publish(
            code=chosen["code"],
            texts=form.texts(),
            organisation=next(each for each in own if each.ref == chosen["organisation"]),
            widens=chosen["widens"] != NO,
            keep_until=chosen["keep_until"],
            **hand(request),
        )
    except NotPublished as refusal:
        return _against(request, form, refusal.problems)
    except (RuleBroken, BadInput) as refusal:
        form.add_error("keep_until" if refusal.code == "keep_in_past" else "code", refusal.told)
        return _shown(request, form, 400 if isinstance(refusal, BadInput) else 409)
    return redirect("desk:texts")


def _looked_at(request: HttpRequest, form: TextForm) -> HttpResponse:
    found = problems(form.texts())
    return _against(request, form, found) if found else _shown(request, form, 200)


def _against(request: HttpRequest, form: TextForm, found: Iterable[Problem]) -> HttpResponse:
    for problem in found:
        form.add_error(None, problem.message)
    return _shown(request, form, 409)


def _shown(request: HttpRequest, form: TextForm, status: int) -> HttpResponse:
    page: dict[str, Any] = {"form": form}
    if not form.errors:
        page["preview"] = form.preview()
    return render(request, "desk/text_write.html", page, status=status)
