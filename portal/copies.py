"""Her list as a file that she takes home: in words, for programs, and with its proofs."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from zipstream import ZIP_DEFLATED, ZipStream

from consent.queries.receipts import Receipt
from consent.vocabulary import Signer
from portal import slips, words
from portal.templatetags.plain import label, moment
from release.queries import proofs
from release.queries.events import Event
from release.queries.proofs import Copy
from release.vocabulary import Deed

SENT: dict[Deed, Promise] = {
    Deed.READY: gettext_lazy("Made ready for %(place)s."),
    Deed.PICKED_UP: gettext_lazy("Picked up by %(place)s."),
    Deed.KEPT_BACK: gettext_lazy("Kept back from %(place)s."),
}
SCRIPT = settings.BASE_DIR / "client" / "verify_sayso.py"


def zipped(copy: Copy, yeses: Iterable[Receipt], at: datetime) -> ZipStream:
    """One zip file, made while it is sent; nobody who sees its names learns what it is about."""
    found = ZipStream(compress_type=ZIP_DEFLATED)
    found.add(in_words(copy, at), "list.txt")
    found.add(json.dumps(for_programs(copy, at), indent=1, ensure_ascii=False), "list.json")
    found.add((piece.encode() for piece in proofs.text(copy)), "proofs.txt")
    for receipt in yeses:
        for name, data in slips.files(receipt, at):
            found.add(data, name)
    found.add(SCRIPT.read_bytes(), "check.py")
    return found


def in_words(copy: Copy, at: datetime) -> str:
    top = [
        _("Your list, made on %(moment)s.") % {"moment": moment(at)},
        _("It says what was sent, what was kept back, what was asked, and what you said."),
        _("“Picked up” means that they got it. We cannot see who reads it there."),
        _(
            "The number at the end of a line is its place in the log. Someone you trust can check it: "
            "the file check.py says how."
        ),
    ]
    return "\n".join([*top, "", *(_line(copy, each) for each in copy.events), ""])


def _line(copy: Copy, event: Event) -> str:
    parts = [f"{moment(event.at)}: {_what(event)}"]
    if event.what:
        kinds = (
            f"{label(each.category)}" + (f" ({', '.join(each.columns)})" if each.columns else "")
            for each in event.what
        )
        parts.append(f"{_('What')}: {'; '.join(kinds)}")
    if event.purpose:
        parts.append(f"{_('Why')}: {label(event.purpose)}")
    if event.ground:
        parts.append(words.why(event.ground))
    place = copy.place(event)
    parts.append(_("No proof yet.") if place is None else f"[{place}]")
    return "\n  ".join(parts) + "\n"


def _what(event: Event) -> str:
    name = {"place": event.recipient.name if event.recipient else _("everyone")}
    match event.deed:
        case Deed.READY | Deed.PICKED_UP | Deed.KEPT_BACK:
            return str(SENT[event.deed]) % name
        case Deed.ASKED:
            return _asked(event) % name
        case Deed.SAID:
            return _said(event, name["place"])
        case Deed.WIPING:
            return str(words.WIPING[event.word]) % {"place": event.subject.holder.name}
        case Deed.RECALLED:
            return f"{words.recalled(event.word)} {name['place']}."
        case Deed.AROUND:
            return around(event, named=True)
        case never:
            assert_never(never)


def around(event: Event, *, named: bool) -> str:
    """What happened around her, in words; `named`: with who it was and where."""
    return words.around(
        event.word,
        worker=event.worker.username if named and event.worker is not None else "",
        kind=event.kind,
        place=event.subject.holder.name if named else "",
    )


def _said(event: Event, place: str) -> str:
    consent = event.consent
    for_her = consent is not None and consent.signer != Signer.SELF
    if event.word in words.CONTESTED:  # said to whoever keeps it, not about somebody who gets it
        place = event.subject.holder.name
    return f"{words.said(event.word, for_her=for_her)} {place}."


def _asked(event: Event) -> str:
    if event.permitted:
        return _("Someone asked if it may go to %(place)s. The answer was yes.")
    return _("Someone asked if it may go to %(place)s. The answer was no.")


def for_programs(copy: Copy, at: datetime) -> dict[str, object]:
    return {
        "version": 1,
        "made_at": at.isoformat(),
        "events": [dict(_fields(copy, each)) for each in copy.events],
    }


def _fields(copy: Copy, event: Event) -> Iterator[tuple[str, object]]:
    yield "what", event.deed.value
    yield "at", event.at.isoformat()
    yield "held_by", event.subject.holder.name
    yield "recipient", event.recipient.name if event.recipient else None
    yield "purpose", event.purpose.code if event.purpose else None
    yield "fields", {each.category.code: list(each.columns) for each in event.what}
    yield "why_not", event.ground.value if event.ground else None
    yield "answer", event.permitted
    yield "said", event.word or None
    yield "who", event.worker.username if event.worker else None
    yield "kind", event.kind or None
    yield "yes", event.consent.ref if event.consent else None
    yield "request", event.request or None
    yield "entry", copy.place(event)
