"""What a client asks, answered by a steward of who keeps her record, or by the advocate who helps her."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from common.errors import BadInput, RuleBroken
from consent.actions import questions
from consent.queries import questions as queries
from consent.vocabulary import ERASE_DAYS, Reply
from desk import standing
from desk.forms.questions import ReplyForm
from desk.hand import hand


@sensitive_variables("words", "page")
@sensitive_post_parameters("words")
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, ref: str) -> HttpResponse:
    """Whose it is is not told; that it was opened is kept before her words are shown, which a form that
    was refused does not show again."""
    now, mine = hand(request), standing.mine(request)
    if not (mine.stewards or mine.advises):
        raise PermissionDenied
    back = reverse("desk:work" if mine.stewards else "desk:clients")
    found = queries.one(now["by"], ref, now["at"])
    if found is None:
        raise Http404
    form = ReplyForm(request.POST or None, choices=found.choices)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            questions.answer(
                question=found.question,
                reply=Reply(form.cleaned_data["reply"]),
                words=form.cleaned_data["words"],
                **now,
            )
        except (BadInput, RuleBroken) as refusal:
            form.add_error("words" if isinstance(refusal, BadInput) else "reply", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            messages.success(request, _("Answered. She sees it on her own page."))
            return redirect(back)
    page = {
        "form": form,
        "found": found,
        "words": None
        if request.method == "POST"
        else questions.read(question=found.question, **now),
        "days": ERASE_DAYS,
        "back": back,
    }
    return render(request, "desk/question.html", page, status=status)
