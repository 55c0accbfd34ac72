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
from consent.actions import subjects
from consent.models import Consent, ConsentEvent, Objection, Subject
from consent.queries import facts, keys
from consent.vocabulary import Ending, Happening
from governance import permissions
from governance.actions import repeating, scopes, trail
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import noes
from governance.storage import noes_file, unpacked
from governance.vocabulary import Narrowing

Told = Mapping[str, Any]
MOMENT = timedelta(microseconds=1)
ENTRIES = {
    Ending.WITHDRAWN: (EntryType.CONSENT_WITHDRAWN, Happening.WITHDRAWN),
    Ending.SUPERSEDED: (EntryType.CONSENT_SUPERSEDED, Happening.SUPERSEDED),
    Ending.INVALIDATED: (EntryType.CONSENT_INVALIDATED, Happening.INVALIDATED),
}
PERSONAL = {"ended", "objection", "paused", "replaced"}


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
    for mark, packed in noes_file().opened(unknown, seen, identities):
        no: dict[str, Any] = json.loads(unpacked(packed))
        whole = _repeatable(no)
        if not whole and mark.hex() not in settled:
            by_hand.append(ByHand(mark.hex(), no["act"], no["at"]))
            continue
        told = no["told"] if whole else []
        people = {place: _subject(each, by, at, via) for place, each in enumerate(told)}
        with scopes.repeating(
            act=Narrowing(no["act"]),
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


def _repeatable(no: Told) -> bool:
    known = PERSONAL | set(repeating.KINDS)
    return bool(no["told"]) and all(each.get("what") in known for each in no["told"])


def _slots(told: list[Told], people: Mapping[int, Subject | None]) -> list[int]:
    """Whom the no is about; nobody where it is about a whole."""
    found = [subject.slot for subject in people.values() if subject is not None]
    if any(each["what"] in repeating.KINDS for each in told):
        return []
    return found + [slot for each in told for slot, _ in each.get("people", [])]


def _subject(told: Told, by: User, at: datetime, via: Via) -> Subject | None:
    """The person as she is known here; one who has been forgotten is enrolled again, so that no
    paper signed before her no ever comes into force."""
    person = told.get("person")
    if person is None:
        return None
    holder = Organisation.objects.filter(ref=person["holder"]).first()
    if holder is None:
        return None
    digests = [bytes.fromhex(each) for each in person["digests"]]
    found = subjects.find(holder, digests)
    if not found and digests:
        found = subjects.enrol(holder=holder, digests=digests[:1], by=by, at=at, via=via)
    if found:
        wanted = Subject.objects.filter(slot__in=found.values())
    else:  # no client number led to her: only her old slot, if it is still hers
        wanted = Subject.objects.filter(slot=person["slot"])
    subject = wanted.select_related("holder").first()
    if not found and subject is not None and facts.stamp(subject.enrolled_at) != person["enrolled"]:
        return None
    return subject


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
        if subject is None:
            return False
        subjects.hold([subject.slot])
        return {"ended": self._ended, "paused": self._paused, "objection": self._objection}[
            told["what"]
        ](told, subject)

    def _ended(self, told: Told, subject: Subject) -> bool:
        ending = Ending(told["ending"])
        running = self._running(told).filter(subject=subject)
        if ending != Ending.WITHDRAWN:
            return self._end(list(running), ending)
        ended = self._end(list(running), ending)
        return self._once(told, subject) or ended

    def _replaced(self, told: Told) -> bool:
        stamps: dict[int, int] = dict(told["people"])
        slots = list(stamps)
        older: list[Consent] = []
        for start in range(0, len(slots), 5000):
            for each in self._running(told).filter(subject__in=slots[start : start + 5000]):
                if facts.stamp(each.subject.enrolled_at) == stamps[each.subject_id]:
                    older.append(each)
        return self._end(older, Ending.SUPERSEDED)

    def _paused(self, told: Told, subject: Subject) -> bool:
        until = datetime.fromisoformat(told["until"]) if told["until"] else None
        running = list(self._running(told).filter(subject=subject))
        if not running:
            return self._once(told, subject)  # the paper may come again: it was said before this
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
            self._written(EntryType.CONSENT_PAUSED, [subject], changed, Happening.PAUSED)
        return bool(changed)

    def _objection(self, told: Told, subject: Subject) -> bool:
        if told["once"]:
            running = self._running(told).filter(subject=subject)
            ended = self._end(list(running), Ending.WITHDRAWN)
            return self._once(told, subject) or ended
        if Objection.objects.filter(ref=told["ref"]).exists():
            return False
        Objection.objects.create(
            ref=told["ref"],
            subject=subject,
            made_at=self.said_at,
            made_by=self.by,
            **self._named(told, told["kind"]),
            category=DataCategory.objects.filter(code=told["category"]).first(),
        )
        self._written(EntryType.OBJECTION_MADE, [subject])
        return True

    def _once(self, told: Told, subject: Subject) -> bool:
        """That she said no at that instant: no paper signed before it comes into force any more."""
        named = self._named(told, "")
        same = {"subject": subject, "made_at": self.said_at, "category": None, **named}
        if Objection.objects.filter(**same).exists():
            return False
        Objection.objects.create(**same, made_by=self.by, lifted_at=self.said_at + MOMENT)
        self._written(EntryType.OBJECTION_MADE, [subject])
        return True

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
        people = {each.subject_id: each.subject for each in consents}
        self._written(type_, list(people.values()), consents, happening)
        return True

    def _written(
        self,
        type_: EntryType,
        people: list[Subject],
        consents: Collection[Consent] = (),
        happening: Happening = Happening.WITHDRAWN,
    ) -> None:
        nonce = secrets.token_bytes(16)
        tags = [keys.tag_in(each, nonce, no=True)[0] for each in people]
        entry = trail.record(
            type=type_,
            by=self.by,
            at=self.moment.at,
            via=self.via,
            resource=tags[0].hex() if len(tags) == 1 else "",
            reason=repeating.REPLAYED,
            subjects=len(tags),
            subjects_root=subjects_root(tags),
            nonce=nonce,
            epoch_everyone=self.moment.everyone,
        )
        ConsentEvent.objects.bulk_create(
            ConsentEvent(
                consent=each, happening=happening, at=self.said_at, by=self.by, entry=entry
            )
            for each in consents
        )
