"""What waits for a recipient, and what waits for a steward, each on one page."""

import json
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.queries import contests, helping, questions, sharing
from desk import standing
from desk.hand import hand
from release.queries import recalls, releases

SOON = timedelta(days=30)


@require_GET
def fetching(request: HttpRequest) -> HttpResponse:
    """For whoever asks in an organisation's name: what may be fetched, until when, on what terms."""
    now = hand(request)
    if not standing.mine(request).asks:
        raise PermissionDenied
    page = {
        "rows": [
            (each, releases.fetch_until(each), json.loads(bytes(each.manifest))["obligations"])
            for each in releases.fetchable(now["by"], now["at"])
        ],
        "recalls": [recalls.standing_of(each, now["at"]) for each in recalls.waiting(now["by"])],
    }
    return render(request, "desk/fetching.html", page)


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """For stewards: what waits to be decided, what ends soon, what is overdue, which stops nobody has asked about yet."""
    now, stewards = hand(request), standing.mine(request).stewards
    if not stewards:
        raise PermissionDenied
    page = {
        "questions": questions.waiting(now["by"], stewards, now["at"]),
        "contests": contests.waiting(stewards, now["at"]),
        "ending": sharing.ending(stewards, now["at"], SOON),
        "days": SOON.days,
        "overdue": [
            recalls.standing_of(each, now["at"]) for each in recalls.past(now["by"], now["at"])
        ],
        "stops": helping.unchecked_at(stewards).count(),
    }
    return render(request, "desk/work.html", page)
