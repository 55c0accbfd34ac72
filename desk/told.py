"""One line of a person's list in words that an advocate can read out to her."""

from typing import assert_never

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.vocabulary import Happening, Speaker, Topic, Turn
from release.queries.events import Event
from release.vocabulary import Deed, Reported, Step

NOES: dict[str, Promise] = {
    "objection:made": gettext_lazy("No: said"),
    "objection:narrowed": gettext_lazy("No: made smaller"),
    "objection:lifted": gettext_lazy("No: taken back"),
    "objection:lifting": gettext_lazy("No: to be taken back after a wait"),
    "objection:kept": gettext_lazy("No: stays after all"),
}
CONTESTED: dict[str, Promise] = {
    "correction:asked": gettext_lazy("Something wrong, or not to be shared for now: said"),
    "correction:decided": gettext_lazy("Something wrong, or not to be shared for now: decided"),
}
SAID = {**NOES, **CONTESTED}
WIPING: dict[str, Promise] = {
    "shredding:asked": gettext_lazy("Wiping of the record: asked for"),
    "shredding:agreed": gettext_lazy("Wiping of the record: agreed to"),
    "shredding:halted": gettext_lazy("Wiping of the record: called off"),
}
SENT: dict[Deed, Promise] = {
    Deed.READY: gettext_lazy("Made ready"),
    Deed.PICKED_UP: gettext_lazy("Picked up"),
    Deed.KEPT_BACK: gettext_lazy("Kept back"),
}
AROUND: dict[str, Promise] = {
    "subject:assigned": gettext_lazy("Begins to help"),
    "subject:transferred": gettext_lazy("Helps no more"),
    "subject:read": gettext_lazy("Looked at the list"),
    "worker:blocked": gettext_lazy("Kept away"),
    "worker:unblocked": gettext_lazy("Let in again"),
    "speaker:recorded": gettext_lazy("May say yes for her"),
    "speaker:ended": gettext_lazy("May say yes for her no more"),
    "subject:linked": gettext_lazy("Joined to another place"),
    "subject:unlinked": gettext_lazy("Apart from the other place again"),
    "dispute:reported": gettext_lazy("Who may say yes: disputed"),
    "dispute:resolved": gettext_lazy("Who may say yes: settled"),
    "question:asked": gettext_lazy("Question: asked"),
    "question:answered": gettext_lazy("Question: answered"),
    "question:erased": gettext_lazy("Question: erased"),
}
LABELS: dict[str, Promise | str] = {
    **{each.value: each.label for each in Turn},
    **{each.value: each.label for each in Happening},
}
AROUND_KINDS: dict[str, Promise | str] = {
    **{each.value: each.label for each in Speaker},
    **{each.value: each.label for each in Topic},
}
ANSWERS: dict[str, Promise | str] = {
    **{each.value: each.label for each in Step},
    **{each.value: each.label for each in Reported},
}


def line(event: Event) -> str:
    match event.deed:
        case Deed.READY | Deed.PICKED_UP | Deed.KEPT_BACK:
            return str(SENT[event.deed])
        case Deed.ASKED:
            return (
                _("Asked whether it may be sent: yes")
                if event.permitted
                else _("Asked whether it may be sent: no")
            )
        case Deed.SAID:
            return _said(event.word)
        case Deed.WIPING:
            return str(WIPING[event.word])
        case Deed.RECALLED:
            return _back(event.word.partition(":")[2])
        case Deed.AROUND:
            return f"{AROUND[event.word]}{_whom(event)}"
        case never:
            assert_never(never)


def _whom(event: Event) -> str:
    """Whom or what it is about; nothing where the words say all."""
    if event.worker is not None:
        return f": {event.worker.username}"
    return f": {AROUND_KINDS[event.kind]}" if event.kind in AROUND_KINDS else ""


def _said(word: str) -> str:
    if word in SAID:
        return str(SAID[word])
    return _("Sharing: %(what)s") % {"what": LABELS[word.partition(":")[2]]}


def _back(what: str) -> str:
    if what not in ANSWERS:
        return _("Asked back")
    return _("Asked back, and they say: %(what)s") % {"what": ANSWERS[what]}
