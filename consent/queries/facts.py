"""Who a no is about, in words that outlive this database: holder, digest, slot."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.models import (
    Assignment,
    Block,
    Consent,
    Contest,
    Death,
    Dispute,
    EnrolmentCode,
    Flag,
    LegalHold,
    Lifting,
    Minority,
    Objection,
    Proposal,
    Representative,
    Shredding,
    Subject,
    SubjectKey,
    SubjectLink,
)
from governance.models import Organisation, Purpose


def person(subject: Subject) -> dict[str, Any]:
    """One person as her holder knows her. The digest finds her also where she is enrolled anew."""
    digests = SubjectKey.objects.filter(subject=subject).values_list("digest", flat=True)
    return {**_place(subject), "digests": [bytes(digest).hex() for digest in digests]}


def ended(consent: Consent, newer: datetime | None = None) -> dict[str, Any]:
    """A yes of hers that has just ended. `newer`: when the one was signed that replaces it."""
    signed = newer.isoformat() if newer else ""
    return {"what": "ended", "ending": str(consent.ending), "newer": signed, **_consent(consent)}


def paused(consent: Consent) -> dict[str, Any]:
    """A yes of hers that has just been paused."""
    until = consent.paused_until
    return {"what": "paused", "until": until.isoformat() if until else "", **_consent(consent)}


def said_once(
    subject: Subject, recipient: Organisation | None, purpose: Purpose | None = None
) -> dict[str, Any]:
    """A stop, to one recipient or to all, for one purpose or for all."""
    return {
        "what": "objection",
        "once": True,
        "person": person(subject),
        "recipient": recipient.ref if recipient else "",
        "recipient_kind": recipient.kind if recipient else "",
        "purpose": purpose.code if purpose else "",
    }


def objected(objection: Objection) -> dict[str, Any]:
    """A standing no of hers."""
    return {
        **said_once(objection.subject, objection.recipient, objection.purpose),
        "once": False,
        "ref": objection.ref,
        "kind": objection.recipient_kind,
        "category": objection.category.code if objection.category else "",
    }


def cancelled(proposal: Proposal) -> dict[str, Any]:
    """That she took a yes back before it counted."""
    return {"what": "cancelled", "ref": proposal.ref, "person": person(proposal.subject)}


def kept_no(lifting: Lifting) -> dict[str, Any]:
    """That a no of hers stays, which she had taken back."""
    subject = lifting.objection.subject
    return {"what": "kept_no", "ref": lifting.ref, "person": person(subject)}


def shredded(subject: Subject) -> dict[str, Any]:
    """That her key is destroyed: by her slot alone, for nothing else leads to her any more."""
    return {"what": "shredded", "person": _bare(subject)}


def called_off(shredding: Shredding) -> dict[str, Any]:
    """That somebody is not to be shredded after all."""
    return {"what": "called_off", "ref": shredding.ref, "person": _bare(shredding.subject)}


def code_over(code: EnrolmentCode) -> dict[str, Any]:
    """That nobody comes in with a code of hers any more."""
    return {"what": "code", "ref": code.ref, "person": _bare(code.subject)}


def handed_on(assignment: Assignment) -> dict[str, Any]:
    """That an advocate does not help her any more."""
    return {"what": "handed_on", "ref": assignment.ref, "person": _bare(assignment.subject)}


def kept_away(block: Block) -> dict[str, Any]:
    """That she keeps a worker away."""
    return {
        "what": "kept_away",
        "ref": block.ref,
        "person": person(block.subject),
        "worker": block.worker.ref,
    }


def parted(link: SubjectLink) -> dict[str, Any]:
    """That she parted what she had joined."""
    return {"what": "parted", "ref": link.ref, "person": _bare(link.subject)}


def kept(hold: LegalHold) -> dict[str, Any]:
    """That the law keeps her record."""
    return {
        "what": "hold",
        "ref": hold.ref,
        "person": _bare(hold.subject),
        "ground": str(hold.ground),
        "ends": hold.ends.isoformat(),
    }


def contested(contest: Contest) -> dict[str, Any]:
    """That she says something against one kind of information: nothing of it goes until it is decided."""
    return {
        "what": "contested",
        "ref": contest.ref,
        "person": person(contest.subject),
        "kind": str(contest.kind),
        "category": contest.category.code,
        "asked": contest.asked_at.isoformat(),
    }


def minor(minority: Minority) -> dict[str, Any]:
    """That she is a minor, until a day."""
    return {
        "what": "minor",
        "ref": minority.ref,
        "person": person(minority.subject),
        "majority": minority.majority.isoformat(),
        "alone": minority.alone,
    }


def flagged(flag: Flag) -> dict[str, Any]:
    """That somebody may never speak for her."""
    return {
        "what": "flagged",
        "ref": flag.ref,
        "person": person(flag.subject),
        "who": flag.who,
        "threat": str(flag.threat),
    }


def silenced(representative: Representative) -> dict[str, Any]:
    """That somebody may speak for her no more."""
    return {
        "what": "silenced",
        "ref": representative.ref,
        "person": person(representative.subject),
    }


def disputed(dispute: Dispute) -> dict[str, Any]:
    """That it is disputed who may speak for her."""
    return {"what": "disputed", "ref": dispute.ref, "person": person(dispute.subject)}


def died(death: Death) -> dict[str, Any]:
    """That she has died."""
    return {"what": "died", "ref": death.ref, "person": person(death.subject)}


def without(no: Mapping[str, Any], subject: Subject) -> dict[str, Any] | None:
    """A no without what it says of her, once she is shredded; None where it says nothing of her."""
    hers, told = _place(subject), []
    for each in no["told"]:
        person = each.get("person") or {}
        named = each["what"] != "shredded" and all(person.get(key) == hers[key] for key in hers)
        told.append({"what": "wiped"} if named else each)
    if told == no["told"]:
        return None
    others = [slot for slot in no.get("slots", []) if slot != subject.slot]
    return {**no, "told": told, "slots": others}


def _bare(subject: Subject) -> dict[str, Any]:
    """Her slot alone: where she is not known by it any more, there is nothing to be said again."""
    return {**_place(subject), "digests": []}


def _place(subject: Subject) -> dict[str, Any]:
    return {
        "holder": subject.holder.ref,
        "slot": subject.slot,
        "enrolled": stamp(subject.enrolled_at),
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "person": person(consent.subject),
        "recipient": consent.recipient.ref,
        "recipient_kind": consent.recipient.kind,
        "purpose": consent.purpose.code,
    }


def moment_of(stamped: int) -> datetime:
    """The instant of a stamp."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamped)


def stamp(moment: datetime) -> int:
    """Whole microseconds since 1970, UTC: tells two people apart who had one slot in turn."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def replaced(
    yeses: Mapping[tuple[int, int, int], datetime],
) -> Iterator[tuple[str, str, list[list[int]]]]:
    """Whose yeses (slot, recipient, purpose) newer ones replace, and when those were signed; by
    recipient and purpose: slot, stamp, and the stamp of that signing."""
    recipients = _named(Organisation, "ref", {recipient for _, recipient, _ in yeses})
    purposes = _named(Purpose, "code", {purpose for _, _, purpose in yeses})
    slots = sorted({slot for slot, _, _ in yeses})
    enrolled: dict[int, datetime] = {}
    for start in range(0, len(slots), 5000):
        rows = Subject.objects.filter(slot__in=slots[start : start + 5000])
        enrolled.update(rows.values_list("slot", "enrolled_at"))
    groups: dict[tuple[int, int], list[list[int]]] = {}
    for (slot, recipient, purpose), signed in yeses.items():
        about = [slot, stamp(enrolled[slot]), stamp(signed)]
        groups.setdefault((recipient, purpose), []).append(about)
    for (recipient, purpose), people in groups.items():
        yield recipients[recipient], purposes[purpose], people


def _named(
    model: type[Organisation] | type[Purpose], column: str, keys: Iterable[int]
) -> dict[int, str]:
    return dict(model._default_manager.filter(pk__in=keys).values_list("pk", column))
