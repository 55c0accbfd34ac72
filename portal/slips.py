"""One yes as a slip that she takes home: in words, for programs, and signed."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from zipstream import ZIP_DEFLATED, ZipStream

from consent.queries.receipts import Receipt
from interop import receipts
from portal import words
from portal.templatetags.plain import day, description, label, moment

File = tuple[str, bytes]


def zipped(receipt: Receipt, at: datetime, script: bytes) -> ZipStream:
    """One slip alone, with the program that checks it."""
    found = ZipStream(compress_type=ZIP_DEFLATED)
    for name, data in files(receipt, at):
        found.add(data, name)
    found.add(script, "check.py")
    return found


def files(receipt: Receipt, at: datetime) -> Iterator[File]:
    """Three files of one name; who sees the name alone learns nothing."""
    name = f"slips/{receipt.number}"
    data = receipts.document(receipt, at=at)
    yield f"{name}.txt", in_words(receipt, at).encode()
    yield f"{name}.json", data
    yield f"{name}.note", receipts.signed(data).encode()


def told(receipt: Receipt) -> list[tuple[datetime, str]]:
    """What happened to it, oldest first, in sentences for her."""
    for_her = receipt.sharing.spoken is not None
    return [
        (
            each.at,
            words.happened(each.happening, for_her=for_her, reworded=each.reworded),
        )
        for each in receipt.happened
    ]


def in_words(receipt: Receipt, at: datetime) -> str:
    one, consent = receipt.sharing, receipt.sharing.consent
    lines = [
        _("Your slip, made on %(moment)s.") % {"moment": moment(at)},
        "",
        f"{_('Number')}: {receipt.number}",
        f"{_('What')}:",
        *(f"- {label(each)}. {description(each)}" for each in one.categories),
        f"{_('Why')}: {label(one.purpose)}. {description(one.purpose)}",
        f"{_('Who gets it')}: {one.recipient.name}",
        f"{_('Who sends it')}: {one.holder.name}",
        f"{_said_yes(receipt)} {day(consent.signed_at)}, {consent.get_channel_display()}",
        f"{_('From')}: {day(consent.starts)}",
        f"{_('Until')}: {day(consent.ends)}",
        *_kept(one.kept_until),
        f"{_('They must delete it by')}: {day(receipts.delete_by(receipt))}",
        f"{_('Your record')}: "
        + _("What was written down up to %(day)s") % {"day": day(consent.record_until)},
        f"{_('The text')}: {consent.terms.title}",
        "",
        f"{_('What happened')}:",
        *(f"- {moment(when)}: {sentence}" for when, sentence in told(receipt)),
        "",
        f"{_('How to stop')}:",
        _("Press “Stop sharing”. Or tell the person who helps you. Both count at once."),
        _("They may keep what they already got. Your services stay the same."),
        _("Something is wrong? Tell the person who helps you."),
    ]
    return "\n".join([*lines, ""])


def _said_yes(receipt: Receipt) -> str:
    """Who said yes: she, or another one for her, and what she said to that."""
    spoken = receipt.sharing.spoken
    if spoken is None:
        return f"{_('You said yes')}:"
    who, too = words.speaker(spoken.representative.kind), words.assent(spoken.assent)
    return f"{_('Who said yes')}: {who}. {too}"


def _kept(until: datetime | None) -> list[str]:
    return [] if until is None else [f"{_('They may keep it until')}: {day(until)}"]
