"""Who a no is about, in words that outlive this database: holder, digest, slot."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from consent.models import Consent, Objection, Subject, SubjectKey
from governance.models import Organisation, Purpose


def person(subject: Subject) -> dict[str, Any]:
    """One person as her holder knows her. The digest finds her also where she is enrolled anew."""
    digests = SubjectKey.objects.filter(subject=subject).values_list("digest", flat=True)
    return {
        "holder": subject.holder.ref,
        "slot": subject.slot,
        "enrolled": stamp(subject.enrolled_at),
        "digests": [bytes(digest).hex() for digest in digests],
    }


def ended(consent: Consent) -> dict[str, Any]:
    """A yes of hers that has just ended."""
    return {"what": "ended", "ending": str(consent.ending), **_consent(consent)}


def paused(consent: Consent) -> dict[str, Any]:
    """A yes of hers that has just been paused."""
    until = consent.paused_until
    return {"what": "paused", "until": until.isoformat() if until else "", **_consent(consent)}


def said_once(subject: Subject, recipient: Organisation | None) -> dict[str, Any]:
    """A stop said aloud, to one recipient or to all."""
    return {
        "what": "objection",
        "once": True,
        "person": person(subject),
        "recipient": recipient.ref if recipient else "",
        "recipient_kind": recipient.kind if recipient else "",
    }


def objected(objection: Objection) -> dict[str, Any]:
    """A standing no of hers."""
    return {
        **said_once(objection.subject, objection.recipient),
        "once": False,
        "ref": objection.ref,
        "kind": objection.recipient_kind,
        "purpose": objection.purpose.code if objection.purpose else "",
        "category": objection.category.code if objection.category else "",
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "person": person(consent.subject),
        "recipient": consent.recipient.ref,
        "recipient_kind": consent.recipient.kind,
        "purpose": consent.purpose.code,
    }


def stamp(moment: datetime) -> int:
    """Whole microseconds since 1970, UTC: tells two people apart who had one slot in turn."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def replaced(consents: Sequence[Consent]) -> Iterator[tuple[str, str, list[list[int]]]]:
    """Whose yeses newer ones replaced, by recipient and purpose: pairs of slot and stamp."""
    recipients = _named(Organisation, "ref", {each.recipient_id for each in consents})
    purposes = _named(Purpose, "code", {each.purpose_id for each in consents})
    slots = sorted({each.subject_id for each in consents})
    enrolled: dict[int, datetime] = {}
    for start in range(0, len(slots), 5000):
        rows = Subject.objects.filter(slot__in=slots[start : start + 5000])
        enrolled.update(rows.values_list("slot", "enrolled_at"))
    groups: dict[tuple[int, int], list[list[int]]] = {}
    for each in consents:
        pair = [each.subject_id, stamp(enrolled[each.subject_id])]
        groups.setdefault((each.recipient_id, each.purpose_id), []).append(pair)
    for (recipient, purpose), people in groups.items():
        yield recipients[recipient], purposes[purpose], people


def _named(
    model: type[Organisation] | type[Purpose], column: str, keys: Iterable[int]
) -> dict[int, str]:
    return dict(model._default_manager.filter(pk__in=keys).values_list("pk", column))
