"""Something of hers is wrong, or is not to be shared for now: held back at once, until it is decided."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import contests
from consent.queries import contests as queries
from consent.queries import sharing
from consent.vocabulary import ANSWER_DAYS, Contested
from governance.models import DataCategory
from portal import words
from portal.forms import Mend
from portal.places import Places, names_shown
from portal.templatetags.plain import label
from portal.views.sharing import her


@require_http_methods(["GET", "POST"])
def mend(request: HttpRequest) -> HttpResponse:
    subjects = {each.holder.ref: each for each in sharing.subjects(her(request))}
    places = Places([each.holder for each in subjects.values()], named=names_shown(request))
    categories = {each.code: each for each in DataCategory.objects.order_by("code")}
    form = Mend(
        request.POST if request.method == "POST" else None,
        where=[(ref, str(places.of(each.holder))) for ref, each in subjects.items()],
        what=[(code, label(each)) for code, each in categories.items()],
    )
    if request.method == "GET" or not form.is_valid():
        found = [
            (each, until, places.of(each.subject.holder), words.contest(each.kind, each.decision))
            for each, until in queries.of(her(request))
        ]
        page = {
            "form": form,
            "found": found,
            "places": len(subjects),
            "days": ANSWER_DAYS,
            "named": names_shown(request),
        }
        return render(request, "portal/mend.html", page)
    try:
        contests.ask(
            subject=subjects[form.cleaned_data["where"]],
            category=categories[form.cleaned_data["what"]],
            kind=Contested(form.cleaned_data["kind"]),
            by=her(request),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except RuleBroken as error:
        if error.code != "contested_already":  # sent twice: the first one did it
            raise
    return redirect("portal:mend")
