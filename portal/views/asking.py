"""She asks about one sharing or about all of it, and sees what she was answered."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from audit.vocabulary import Via
from common.errors import BadInput, RuleBroken
from consent.actions import questions
from consent.models import Consent, Question, Subject
from consent.queries import questions as queries
from consent.queries import sharing
from consent.queries.questions import Written
from consent.vocabulary import ERASE_DAYS, REPLY_DAYS, Topic
from portal import again
from portal.cards import Card
from portal.own_forms import Ask
from portal.places import Place, Places, names_shown
from portal.views.sharing import her, her_cards

ALL = "all-"


@dataclass(frozen=True)
class Shown:
    """One question as her page shows it; `words` only where she typed her secret words just now."""

    question: Question
    until: datetime
    place: Place | None
    words: Written | None

    @property
    def written(self) -> bool:
        """Whether there are words that are not shown."""
        has = bool(self.question.words) or bool(self.question.reply_words)
        return has and self.words is None


@sensitive_post_parameters("words")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    about = _about(request)
    if not about:
        return _page(request, None)
    form = Ask(
        request.POST if request.method == "POST" else None,
        about=[(key, told) for key, (told, _subject, _consent) in about.items()],
        chosen=request.GET.get("about", ""),
    )
    if request.method == "GET" or not form.is_valid():
        return _page(request, form)
    _told, subject, consent = about[form.cleaned_data["about"]]
    try:
        questions.ask(
            subject=subject,
            consent=consent,
            topic=Topic(form.cleaned_data["topic"]),
            words=form.cleaned_data["words"],
            by=her(request),
            at=timezone.now(),
            via=Via.PORTAL,
        )
    except BadInput as refusal:
        form.add_error("words", refusal.told)
        return _page(request, form, status=400)
    except RuleBroken as refusal:
        form.add_error("topic", refusal.told)
        return _page(request, form, status=409)
    return redirect("portal:ask")


@again.first
@require_GET
def words(request: HttpRequest) -> HttpResponse:
    """The same thread with what she wrote and what they wrote."""
    return _page(request, None, opened=True)


def _about(request: HttpRequest) -> dict[str, tuple[str, Subject, Consent | None]]:
    """What she may ask about: everything at each place that keeps her record, and each sharing."""
    people = list(sharing.subjects(her(request)))
    houses = Places([each.holder for each in people], named=names_shown(request))
    found: dict[str, tuple[str, Subject, Consent | None]] = {}
    for each in people:
        told = _("All of it")
        if len(people) > 1:
            told = _("All of it, at %(place)s") % {"place": _house(houses.of(each.holder))}
        found[f"{ALL}{each.holder.ref}"] = (told, each, None)
    for card in _in_order(her_cards(request)):
        consent = card.sharing.consent
        found[card.ref] = (f"{card.place}: {card.word}", consent.subject, consent)
    return found


def _house(place: Place) -> str:
    return place.name or _("House %(number)s") % {"number": place.number}


def _in_order(cards: list[Card]) -> list[Card]:
    return sorted(cards, key=lambda one: (one.place.number, -one.sharing.consent.pk))


def _page(
    request: HttpRequest, form: Ask | None, *, opened: bool = False, status: int = 200
) -> HttpResponse:
    places = {card.ref: card.place for card in her_cards(request)}
    page = {
        "form": form,
        "opened": opened,
        "named": names_shown(request),
        "days": REPLY_DAYS,
        "kept": ERASE_DAYS,
        "found": [
            Shown(
                question=each,
                until=until,
                place=places.get(each.consent.ref) if each.consent is not None else None,
                words=queries.written(each) if opened else None,
            )
            for each, until in queries.of(her(request))
            if each.consent is None or each.consent.ref in places
        ],
    }
    return render(request, "portal/ask.html", page, status=status)
