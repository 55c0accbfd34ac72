"""Her settings: each behind her words once more."""

from django.contrib import auth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import enrolment, survivors
from consent.queries import enrolment as coming
from governance.queries import sittings as queries
from governance.queries.sittings import KEY
from portal import again, second
from portal.forms import Close, Speak
from portal.views import words as choosing
from portal.views.entry import remember_language
from portal.views.sharing import her


@again.first
@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    page = {
        "left": queries.papers_left(her(request)),
        "places": queries.of(her(request), timezone.now()).count(),
        "seconds": second.kinds(her(request)).any,
    }
    return render(request, "portal/settings.html", page)


@require_http_methods(["GET", "POST"])
@again.first
def words(request: HttpRequest) -> HttpResponse:
    """New secret words; every other device is signed out."""
    step = choosing.step(request)
    if not step.chosen:
        return step.page()
    try:
        person = survivors.change_words(
            password=step.chosen, by=her(request), at=timezone.now(), via=Via.PORTAL
        )
    except BadInput:
        return step.weak()
    request.session.pop(KEY, None)  # this device goes on, as a new sitting
    request.session.pop(choosing.OFFERED, None)
    auth.update_session_auth_hash(request, person)
    return render(request, "portal/words_done.html")


@require_http_methods(["GET", "POST"])
@again.first
def language(request: HttpRequest) -> HttpResponse:
    """In which language she is met from now on, on every device."""
    form = Speak(
        request.POST if request.method == "POST" else None,
        initial={"language": her(request).language},
    )
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/speak.html", {"form": form})
    chosen = form.cleaned_data["language"]
    survivors.speak(language=chosen, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return remember_language(redirect("portal:settings"), chosen)


@again.first
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Where she is signed in."""
    found = queries.of(her(request), timezone.now())
    page = {"places": found, "here": request.session.get(KEY, "")}
    return render(request, "portal/places.html", page)


@require_POST
@again.before("portal:places")
def end_place(request: HttpRequest, ref: str) -> HttpResponse:
    """One of hers ends; somebody else's is nowhere."""
    at = timezone.now()
    found = queries.of(her(request), at).filter(ref=ref).first()
    if found is None:
        raise Http404
    survivors.end_place(sitting=found, by=her(request), at=at, via=Via.PORTAL)
    return redirect("portal:places")


@require_POST
@again.before("portal:places")
def end_others(request: HttpRequest) -> HttpResponse:
    here = str(request.session.get(KEY, ""))
    survivors.end_others(keep=here, by=her(request), at=timezone.now(), via=Via.PORTAL)
    return redirect("portal:places")


@require_POST
@again.before("portal:places")
def end_all(request: HttpRequest) -> HttpResponse:
    """Signed out everywhere, here too."""
    survivors.end_all(by=her(request), at=timezone.now(), via=Via.PORTAL)
    auth.logout(request)
    return redirect("portal:start")


@sensitive_post_parameters("passphrase")
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Her page closes for good; what she shares does not end by it."""
    form = Close(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "portal/close.html", {"form": form})
    wrong = again.right(request, form)
    if wrong:
        status = 200 if wrong == "credentials" else 429
        return render(request, "portal/close.html", {"form": form, "wrong": wrong}, status=status)
    survivors.close(by=her(request), at=timezone.now(), via=Via.PORTAL)
    auth.logout(request)
    return render(request, "portal/closed.html")


@require_POST
def refuse(request: HttpRequest, ref: str) -> HttpResponse:
    """Nobody sets new words with this code. From any page, at once: her words are not asked first,
    for whoever is in refuses in time, or not at all."""
    found = coming.coming_back(her(request), timezone.now())
    code = next((each for each in found if each.ref == ref), None)
    if code is None:
        raise Http404
    try:
        enrolment.cancel(code=code, by=her(request), at=timezone.now(), via=Via.PORTAL)
    except RuleBroken as error:
        if error.code != "code_closed":  # sent twice: the first one did it
            raise
    return redirect("portal:home")
