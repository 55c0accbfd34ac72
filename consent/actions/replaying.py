"""After a restore: every no that the file of noes holds and the database has forgotten.

In the file's order, each in a transaction of its own that ends with the no known here: broken off
anywhere, it goes on from there, and done twice it does nothing. A yes signed after a no stands; what
this database does not know makes a no larger, never smaller.
"""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from audit import queries as log
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from consent.actions import (
    contested_again,
    drafts,
    found_again,
    helped_again,
    speaking_again,
    standing,
    subjects,
    tagging,
    wiping,
)
from consent.models import Consent, ConsentEvent, EnrolmentCode, LegalHold, Objection, Subject
from consent.queries import facts, keys, words
from consent.vocabulary import Ending, Happening, Turn
from governance import permissions
from governance.actions import repeating, scopes, trail
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import noes
from governance.storage import noes_file, unpacked
from governance.vocabulary import REPLAYED, Closing, Narrowing

Told = found_again.Told
MOMENT = timedelta(microseconds=1)
ENTRIES = {
    Ending.WITHDRAWN: (EntryType.CONSENT_WITHDRAWN, Happening.WITHDRAWN),
    Ending.SUPERSEDED: (EntryType.CONSENT_SUPERSEDED, Happening.SUPERSEDED),
    Ending.INVALIDATED: (EntryType.CONSENT_INVALIDATED, Happening.INVALIDATED),
}
PERSONAL = {
    *("ended", "objection", "paused", "replaced"),
    *("shredded", "wiped", "called_off", "hold", "code", "cancelled", "kept_no"),
    *("handed_on", "kept_away", "parted"),
    *(*speaking_again.KINDS, "contested"),
}


@dataclass(frozen=True)
class ByHand:
    """A no that names nothing to be said again: somebody must look what it was about."""

    mark: str
    act: str
    at: str


@dataclass(frozen=True)
class Replayed:
    """`said`: noes that changed something here; `nothing`: those that needed nothing."""

    said: int
    nothing: int
    by_hand: tuple[ByHand, ...]


def replay(*, by: User, at: datetime, via: Via, settled: Collection[str] = ()) -> Replayed:
    """Say every forgotten no again. `settled`: marks of those that were seen to by hand.

    Raises NotPermitted unless `by` convenes; NotReady where the file or a key is not there: what
    was said again until then stays said.
    """
    permissions.check_can_convene(by)
    unknown, seen = noes.reckoning().unknown, noes.view()
    said = nothing = 0
    by_hand: list[ByHand] = []
    identities = log.key_ring().noes_identities() if unknown else ()
    gone = {
        found_again.place(each["person"])
        for _, packed in noes_file().opened(unknown, seen, identities)
        for each in json.loads(unpacked(packed))["told"]
        if each["what"] == "shredded"
    }
    for mark, packed in noes_file().opened(unknown, seen, identities):
        no: dict[str, Any] = json.loads(unpacked(packed))
        whole = _repeatable(no)
        if not whole and mark.hex() not in settled:
            by_hand.append(ByHand(mark.hex(), no["act"], no["at"]))
            continue
        told = no["told"] if whole else []
        people = {
            place: found_again.subject(each, gone, by, at, via) for place, each in enumerate(told)
        }
        with scopes.repeating(
            act=_act(no["act"]),
            mark=mark,
            facts=packed,
            file=seen.file,
            slots=_slots(told, people),
        ) as moment:
            one = _Repeated(datetime.fromisoformat(no["at"]), by, via, moment)
            changed = [one.repeat(each, people[place]) for place, each in enumerate(told)]
            if not any(changed):
                trail.record(
                    type=EntryType.LOG_VERIFIED,
                    by=by,
                    at=moment.at,
                    via=via,
                    resource=f"no/{mark.hex()}",
                    reason="replayed" if whole else "settled",
                    epoch_everyone=moment.everyone,
                )
        said, nothing = said + any(changed), nothing + (not any(changed))
    return Replayed(said, nothing, tuple(by_hand))


def to_shred() -> list[Subject]:
    """Who is known here, and was shredded after this copy was made, as the file of noes says."""
    unknown, seen = noes.reckoning().unknown, noes.view()
    identities = log.key_ring().noes_identities() if unknown else ()
    told = [
        each["person"]
        for _, packed in noes_file().opened(unknown, seen, identities)
        for each in json.loads(unpacked(packed))["told"]
        if each["what"] == "shredded"
    ]
    enrolled = {each["slot"]: each["enrolled"] for each in told}
    people = Subject.objects.filter(slot__in=enrolled, shredded_at__isnull=True)
    return [
        each
        for each in people.select_related("holder")
        if facts.stamp(each.enrolled_at) == enrolled[each.slot]
    ]


def _act(name: str) -> Narrowing | Closing:
    return Narrowing(name) if name in Narrowing.values else Closing(name)


def _repeatable(no: Told) -> bool:
    known = PERSONAL | set(repeating.KINDS)
    return bool(no["told"]) and all(each.get("what") in known for each in no["told"])


def _slots(told: list[Told], people: Mapping[int, Subject | None]) -> list[int]:
    """Whom the no is about; nobody where it is about a whole."""
    found = [subject.slot for subject in people.values() if subject is not None]
    if any(each["what"] in repeating.KINDS for each in told):
        return []
    return found + [slot for each in told for slot, *_ in each.get("people", [])]


class _Repeated:
    """One no that is being said again, inside its transaction."""

    def __init__(self, said_at: datetime, by: User, via: Via, moment: scopes.Moment) -> None:
        self.said_at, self.by, self.via, self.moment = said_at, by, via, moment

    def repeat(self, told: Told, subject: Subject | None) -> bool:
        if told["what"] in repeating.KINDS:
            return repeating.repeat(
                told, by=self.by, at=self.moment.at, via=self.via, moment=self.moment
            )
        if told["what"] == "replaced":
            return self._replaced(told)
        if subject is None or subject.shredded_at is not None:
            return False  # also what was wiped: it names nobody
        subjects.hold([subject.slot])
        if told["what"] in helped_again.AGAIN:
            again = helped_again.AGAIN[told["what"]]
            return again(told, subject, by=self.by, at=self.moment.at, via=self.via)
        hand: dict[str, Any] = {"by": self.by, "via": self.via, "moment": self.moment}
        if told["what"] == "contested":
            return contested_again.repeat(told, subject, **hand)
        if told["what"] in speaking_again.KINDS:
            return speaking_again.repeat(told, subject, hand)
        return {
            "ended": self._ended,
            "paused": self._paused,
            "objection": self._objection,
            "shredded": self._shredded,
            "called_off": self._called_off,
            "hold": self._hold,
            "cancelled": self._cancelled,
            "kept_no": self._kept_no,
            "code": self._code,
        }[told["what"]](told, subject)

    def _shredded(self, _told: Told, subject: Subject) -> bool:
        wiping.wipe(subject, by=self.by, via=self.via, moment=self.moment, reason=REPLAYED)
        return True

    def _called_off(self, told: Told, subject: Subject) -> bool:
        ref, moment = told["ref"], self.moment
        return wiping.call_off_again(ref, subject, by=self.by, via=self.via, moment=moment)

    def _cancelled(self, told: Told, subject: Subject) -> bool:
        waits = drafts.locked().filter(subject=subject, ref=told["ref"], closed_at__isnull=True)
        for each in waits:
            drafts.closed(each, Turn.CANCELLED, by=self.by, at=self.moment.at, via=self.via)
            return True
        return False

    def _kept_no(self, told: Told, subject: Subject) -> bool:
        return standing.keep(told["ref"], subject, by=self.by, at=self.moment.at, via=self.via)

    def _code(self, told: Told, subject: Subject) -> bool:
        named = {"ref": told["ref"], "subject": subject, "used_at": None, "cancelled_at": None}
        cancelled = EnrolmentCode.objects.filter(**named).update(cancelled_at=self.moment.at)
        if cancelled:
            self._written(EntryType.INVITATION_WITHDRAWN, [subject])
        return cancelled > 0

    def _hold(self, told: Told, subject: Subject) -> bool:
        ends = datetime.fromisoformat(told["ends"])
        if ends <= self.moment.at or LegalHold.objects.filter(ref=told["ref"]).exists():
            return False
        hold = LegalHold(
            ref=told["ref"],
            subject=subject,
            ground=told["ground"],
            placed_by=self.by,
            placed_at=self.moment.at,
            ends=ends,
        )
        wiping.stand(hold, "", by=self.by, at=self.moment.at, via=self.via, reason=REPLAYED)
        return True

    def _ended(self, told: Told, subject: Subject) -> bool:
        ending = Ending(told["ending"])
        running = self._running(told).filter(subject=subject)
        if not told.get("newer"):  # stopped, or never valid
            ended = self._end(list(running), ending)
            return self._once(told, subject, self.said_at) or ended
        # What was signed before the yes that replaced it stays replaced; that one may come again.
        newer = datetime.fromisoformat(told["newer"])
        ended = self._end(list(running.filter(signed_at__lt=newer)), ending)
        return self._once(told, subject, newer - MOMENT) or ended

    def _replaced(self, told: Told) -> bool:
        """As `_ended`, of many people at once: one entry for each kind of it."""
        newer = {slot: (known, facts.moment_of(signed)) for slot, known, signed in told["people"]}
        slots = list(newer)
        older: list[Consent] = []
        before: list[Objection] = []
        named = {"category": None, **self._named(told, "")}
        for start in range(0, len(slots), 5000):
            chunk = slots[start : start + 5000]
            people = {
                each.slot: each
                for each in Subject.objects.filter(slot__in=chunk).select_related("holder")
                if facts.stamp(each.enrolled_at) == newer[each.slot][0]
            }
            for yes in self._running(told).filter(subject__in=people):
                if yes.signed_at < newer[yes.subject_id][1]:
                    older.append(yes)
            said = Objection.objects.filter(subject__in=people, **named)
            known = set(said.values_list("subject_id", "made_at"))
            for slot, subject in people.items():
                at = newer[slot][1] - MOMENT
                if (slot, at) not in known:
                    before.append(self._no_at(at, subject, named))
        ended = self._end(older, Ending.SUPERSEDED)
        if before:
            Objection.objects.bulk_create(before)
            self._objected(before)
        return ended or bool(before)

    def _paused(self, told: Told, subject: Subject) -> bool:
        until = datetime.fromisoformat(told["until"]) if told["until"] else None
        running = list(self._running(told).filter(subject=subject))
        if not running:
            return self._once(
                told, subject, self.said_at
            )  # the paper may come again: it was said before this
        changed = [
            each
            for each in running
            if each.paused_at is None or (each.paused_until is not None and until is None)
            or (each.paused_until is not None and until is not None and each.paused_until < until)
        ]  # fmt: skip
        for each in changed:
            each.paused_at, each.paused_until = self.said_at, until
            each.save(update_fields=["paused_at", "paused_until"])
        if changed:
            self._happened(EntryType.CONSENT_PAUSED, changed, Happening.PAUSED)
        return bool(changed)

    def _objection(self, told: Told, subject: Subject) -> bool:
        if told["once"]:
            running = self._running(told).filter(subject=subject)
            ended = self._end(list(running), Ending.WITHDRAWN)
            return self._once(told, subject, self.said_at) or ended
        if Objection.objects.filter(ref=told["ref"]).exists():
            return False
        objection = Objection.objects.create(
            ref=told["ref"],
            subject=subject,
            made_at=self.said_at,
            made_by=self.by,
            **self._named(told, told["kind"]),
            category=DataCategory.objects.filter(code=told["category"]).first(),
        )
        self._objected([objection])
        return True

    def _once(self, told: Told, subject: Subject, at: datetime) -> bool:
        """That she said no at that instant: no paper signed before it comes into force any more."""
        named = {"category": None, **self._named(told, "")}
        if Objection.objects.filter(subject=subject, made_at=at, **named).exists():
            return False
        no = self._no_at(at, subject, named)
        no.save()
        self._objected([no])
        return True

    def _objected(self, noes: list[Objection]) -> None:
        beside = words.beside_objections([each.pk for each in noes])
        self._written(EntryType.OBJECTION_MADE, [each.subject for each in noes], beside)

    def _no_at(self, at: datetime, subject: Subject, named: dict[str, Any]) -> Objection:
        return Objection(
            subject=subject, made_at=at, made_by=self.by, lifted_at=at + MOMENT, **named
        )

    def _named(self, told: Told, kind: str) -> dict[str, Any]:
        """Whom and what the no names; what is not known here is left out, which makes it larger."""
        recipient = Organisation.objects.filter(ref=told["recipient"]).first()
        if recipient is None and told["recipient"]:
            kind = kind or told["recipient_kind"]
        purpose = Purpose.objects.filter(code=told.get("purpose", "")).first()
        return {"recipient": recipient, "recipient_kind": kind, "purpose": purpose}

    def _running(self, told: Told) -> QuerySet[Consent]:
        """Yeses it ends: signed before it, to that recipient (or all), for that purpose (or all)."""
        found = (
            Consent.objects.select_for_update(of=("self",))
            .select_related("subject__holder")
            .filter(ended_at__isnull=True, signed_at__lte=self.said_at)
        )
        if told["recipient"]:
            found = found.filter(recipient__ref=told["recipient"])
        if told.get("purpose"):
            found = found.filter(purpose__code=told["purpose"])
        return found

    def _end(self, consents: list[Consent], ending: Ending) -> bool:
        if not consents:
            return False
        for each in consents:
            each.ended_at, each.ending = self.said_at, ending
            each.save(update_fields=["ended_at", "ending"])
        type_, happening = ENTRIES[ending]
        self._happened(type_, consents, happening)
        return True

    def _happened(
        self, type_: EntryType, consents: Collection[Consent], happening: Happening
    ) -> None:
        people = {each.subject_id: each.subject for each in consents}
        beside = words.beside_consents([each.pk for each in consents], happening)
        entry = self._written(type_, list(people.values()), beside)
        ConsentEvent.objects.bulk_create(
            ConsentEvent(
                consent=each, happening=happening, at=self.said_at, by=self.by, entry=entry
            )
            for each in consents
        )

    def _written(self, type_: EntryType, people: list[Subject], beside: bytes | None = None) -> Any:
        nonce = secrets.token_bytes(16)
        made = [keys.tag_in(each, nonce, no=True) for each in people]
        tags = [tag for tag, _ in made]
        entry = trail.record(
            type=type_,
            by=self.by,
            at=self.moment.at,
            via=self.via,
            resource=tags[0].hex() if len(tags) == 1 else "",
            reason=REPLAYED,
            subjects=len(tags),
            subjects_root=subjects_root(tags),
            nonce=nonce,
            detail=beside,
            epoch_everyone=self.moment.everyone,
        )
        away = zip(people, made, strict=True)
        tagging.wait(entry.pk, [each for each, (_, absent) in away if absent])
        return entry
