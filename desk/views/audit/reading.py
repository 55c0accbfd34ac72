"""Reading the log for one case: the search, one entry, the days, what is unusual."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit import queries as log
from common.days import day_of
from common.errors import NotReady, RuleBroken
from desk import charts, paging
from desk.forms.audit import SaveForm, SearchForm
from desk.hand import hand
from desk.templatetags.desk import label
from desk.views.audit.cases import case_of
from governance.queries import catalogue, people
from oversight.actions import cases as deeds
from oversight.actions import looking
from oversight.queries import cases

HINTS = 200  # on one page, the gravest first


@require_GET
def search(request: HttpRequest, ref: str) -> HttpResponse:
    """A1. Nothing is looked for before somebody asks; the address holds the question."""
    case = case_of(request, ref)
    form = _form(request)
    page: dict[str, Any] = {"case": case, "form": form, "here": "search"}
    status = 200
    if request.GET and case.closed_at is None:
        before = _before(request)
        if form.is_valid():
            found = looking.find(case=case, wanted=form.wanted(), before=before, **hand(request))
            page |= {"found": found, "before": before, "question": _question(form)}
        else:
            status = 400
    page["searches"] = [(each, urlencode(_days(each.asked))) for each in case.searches.all()]
    page["handles"] = case.handles.select_related("subject__holder").order_by("pk")
    return render(request, "desk/audit/search.html", page, status=status)


@require_http_methods(["GET", "POST"])
def save(request: HttpRequest, ref: str) -> HttpResponse:
    """Keep a question: it comes in the address, and goes back with a name."""
    case = case_of(request, ref)
    form = SaveForm(request.POST or None, initial=request.GET.dict(), **_choices())
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            name = form.cleaned_data["name"]
            try:
                deeds.save_search(case=case, name=name, wanted=form.wanted(), **hand(request))
            except RuleBroken as refusal:
                form.add_error("name", refusal.told)
                status = 409
            else:
                messages.success(request, _("Kept. The search stands with this case."))
                return redirect("desk:audit-search", ref=case.ref)
    page = {"case": case, "form": form, "here": "search"}
    return render(request, "desk/audit/save.html", page, status=status)


@require_GET
def event(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """A2. One entry as it was logged, and what was in force then."""
    case = case_of(request, ref)
    found = (
        looking.event(case=case, number=number, **hand(request))
        if number < paging.LARGEST
        else None
    )
    if found is None:
        raise Http404
    page = {
        "case": case,
        "event": found,
        "entry": found.entry,
        "leaf": bytes(found.entry.leaf).decode(),
        "leaf_hash": bytes(found.entry.leaf_hash).hex(),
        "before": found.before.hex() if found.before is not None else "",
        "proof": _proof(found.entry),
        "here": "search",
    }
    return render(request, "desk/audit/event.html", page)


@require_GET
def days(request: HttpRequest, ref: str) -> HttpResponse:
    """A3. Counts by day: a drawing, and beside it the table it was drawn from."""
    case = case_of(request, ref)
    form = _form(request)
    page: dict[str, Any] = {"case": case, "form": form, "here": "days"}
    if not form.is_valid():
        return render(request, "desk/audit/days.html", page, status=400)
    found = looking.timeline(case=case, wanted=form.wanted(), **hand(request))
    page |= {"days": found, "chart": charts.by_day(found)}
    return render(request, "desk/audit/days.html", page)


@require_GET
def hints(request: HttpRequest, ref: str) -> HttpResponse:
    case = case_of(request, ref)
    spoken = looking.hints(case=case, **hand(request))
    start = paging.number(request.GET.get("from", "")) or 0
    page = {
        "case": case,
        "hints": spoken[start : start + HINTS],
        "next": start + HINTS if len(spoken) > start + HINTS else None,
        "count": len(spoken),
        "here": "hints",
    }
    return render(request, "desk/audit/hints.html", page)


def _form(request: HttpRequest) -> SearchForm:
    return SearchForm(request.GET, **_choices())


def _choices() -> dict[str, Any]:
    """What can be chosen in a question."""
    return {
        "organisations": people.organisations(),
        "datasets": cases.datasets(),
        "purposes": [(purpose, label(purpose)) for purpose in catalogue.purposes()],
    }


def _before(request: HttpRequest) -> int | None:
    """The number below which the page begins; anything else begins with the newest."""
    return paging.number(request.GET.get("before", ""))


def _question(form: SearchForm) -> str:
    """The question alone, as it stands in an address."""
    kept = {name: form[name].value() for name in form.fields}
    return urlencode({name: value for name, value in kept.items() if value})


def _days(asked: dict[str, str]) -> dict[str, str]:
    """A kept question as the form takes it: its instants as days, the last one that is inside."""
    kept = dict(asked)
    for name, earlier in (("since", timedelta()), ("until", timedelta.resolution)):
        if name in kept:
            kept[name] = day_of(datetime.fromisoformat(kept[name]) - earlier).isoformat()
    return kept


def _proof(entry: Any) -> str:
    """The entry's proof; nothing while the witnesses that it needs have not signed."""
    try:
        return log.proof(entry)
    except NotReady:
        return ""
