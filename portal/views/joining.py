"""She joins another place to what she sees here, with a code from each, and parts it again."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import links
from consent.queries import links as queries
from portal import again, attempts
from portal.own_forms import Join
from portal.places import Places, names_shown
from portal.views.sharing import her


@sensitive_post_parameters("first", "second")
@require_http_methods(["GET", "POST"])
@again.first
def join(request: HttpRequest) -> HttpResponse:
    form = Join(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return _page(request, form)
    if not attempts.take_code(request):
        return _page(request, form, wrong="tries", status=429)
    try:
        links.join(
            first=form.cleaned_data["first"],
            second=form.cleaned_data["second"],
            by=her(request),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except BadInput as refusal:  # nobody's code looks so
        form.add_error(refusal.where, refusal.told)
        return _page(request, form, status=400)
    except RuleBroken as refusal:
        attempts.failed(request, "")
        form.add_error("first", refusal.told)
        return _page(request, form, status=409)
    return redirect("portal:join")


@require_POST
@again.before("portal:join")
def part(request: HttpRequest, ref: str) -> HttpResponse:
    """One place is apart again; what is somebody else's is nowhere."""
    found = queries.of(her(request)).filter(ref=ref).first()
    if found is None:
        raise Http404
    try:
        links.split(link=found, by=her(request), at=timezone.now(), via=Via.PORTAL)
    except RuleBroken as error:
        if error.code != "apart_already":  # sent twice: the first one did it
            raise
    return redirect("portal:join")


def _page(request: HttpRequest, form: Join, *, wrong: str = "", status: int = 200) -> HttpResponse:
    found = list(queries.of(her(request)))
    places = Places([each.subject.holder for each in found], named=names_shown(request))
    page = {
        "form": form,
        "found": [(each, places.of(each.subject.holder)) for each in found],
        "wrong": wrong,
    }
    return render(request, "portal/join.html", page, status=status)
