"""Where it went, a page at a time: what was sent or kept back, and what was asked about her."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from consent.queries import hiding
from portal import again, copies
from portal.cards import card, question, sent
from portal.places import names_shown
from portal.views.sharing import her, her_places, her_shared
from release.queries import around, inquiries, recalls, uses

PAGE = 20


@dataclass(frozen=True)
class Line:
    """One thing that happened around her, in words."""

    at: datetime
    words: str

    @property
    def month(self) -> date:
        return timezone.localtime(self.at).date().replace(day=1)


QUESTIONS = "questions"
AROUND = "around"


@again.first
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """Everything, what went out under one of her yeses (`?of=`), all questions, or what
    happened around her (`?list=`)."""
    if request.GET.get("list") == QUESTIONS:
        return _questions(request)
    if request.GET.get("list") == AROUND:
        return _around(request)
    at, of = timezone.now(), request.GET.get("of", "")
    shared, hidden = her_shared(request), hiding.recipients(her(request))
    lines = [line for line in uses.lines(her(request)) if line.recipient not in hidden]
    standings = {one.consent.ref: one.standing for one in shared}
    if of and of not in standings:
        raise Http404
    chosen = [line for line in lines if not of or (line.consent and line.consent.ref == of)]
    page = _page(request, chosen)
    asked = [] if of or page.number > 1 else inquiries.of(her(request), without=hidden)
    places = her_places(request, shared, _met(request, lines))
    told = uses.told(list(page))
    back = recalls.of_sendings(told, at)
    return render(
        request,
        "portal/history.html",
        {
            "sent": [
                sent(
                    went, places, standings, at, back.get((went.subject.slot, went.release.pk), [])
                )
                for went in told
            ],
            "questions": [question(each, places) for each in asked],
            "more": bool(asked) and inquiries.count(her(request), without=hidden) > len(asked),
            "sharings": [card(one, places) for one in shared],
            "of": of,
            "page": page,
            "named": names_shown(request),
        },
    )


def _questions(request: HttpRequest) -> HttpResponse:
    hidden = hiding.recipients(her(request))
    page = _page(request, range(inquiries.count(her(request), without=hidden)))
    first = max(page.start_index() - 1, 0)
    asked = inquiries.of(her(request), first=first, most=PAGE, without=hidden)
    shared = her_shared(request)
    places = her_places(request, shared, _met(request, uses.lines(her(request))))
    return render(
        request,
        "portal/questions.html",
        {
            "questions": [question(each, places) for each in asked],
            "page": page,
            "named": names_shown(request),
        },
    )


def _around(request: HttpRequest) -> HttpResponse:
    """Who helps her, looked, is kept away or may say yes for her, and what she asked, by the day."""
    named = names_shown(request)
    page = _page(request, around.of(her(request)))
    lines = [Line(each.at, copies.around(each, named=named)) for each in page]
    return render(request, "portal/around.html", {"lines": lines, "page": page, "named": named})


def _met(request: HttpRequest, lines: Sequence[uses.Line]) -> list[uses.Met]:
    """Whoever was ever named to her, so that a place has the same number on every page."""
    return [*uses.met(lines), *inquiries.met(her(request))]


def _page(request: HttpRequest, rows: Sequence[Any]) -> Any:
    """The page that was asked for; the nearest there is where it was none."""
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))
