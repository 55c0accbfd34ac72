"""Recording many yeses signed on paper, as one deed."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common import ids
from common.errors import BadInput
from consent import rules
from consent.actions.consents import plain
from consent.actions.papers import reading
from consent.actions.papers.judging import Yes, judged, known_to
from consent.actions.papers.reading import Rejected, read
from consent.actions.sets import category_set
from consent.actions.subjects import hold
from consent.models import CategorySet, Consent, ConsentEvent
from consent.permissions import check_can_advise
from consent.queries import facts, keys, latest
from consent.vocabulary import Ending, Happening
from governance.actions import scopes, trail
from governance.models import Organisation, User
from governance.vocabulary import Narrowing

BATCH = 2000
COLUMNS = reading.COLUMNS


@dataclass(frozen=True)
class Imported:
    """What one import did."""

    ref: str
    recorded: int
    superseded: int
    rejected: tuple[Rejected, ...]


def consents(
    *,
    holder: Organisation,
    lines: Iterable[str],
    by: User,
    at: datetime,
    via: Via,
    most_bad: float = 0.2,
    scope: str = "",
) -> Imported:
    """Record paper consents from CSV lines; one deed, one entry with everybody's tags.

    Lines that lack an element of R3 or R6, are older than a no, or were recorded by somebody of the
    recipient are rejected as `consents.give` would refuse them. `scope` names the dataset whose row
    numbers the client numbers are (`row:<dataset>`). Raises NotPermitted unless `by` is
    the holder's advocate; BadInput where the file cannot be read or more than `most_bad` of its
    lines are bad: then nothing is recorded.
    """
    check_can_advise(by, holder)
    found, rejected = read(holder, lines, scope)
    known = known_to(holder, found, by)
    yeses, refused = judged(found, known, at=at)
    rejected = sorted([*rejected, *refused], key=lambda each: each.line)
    bad = len({each.line for each in rejected})
    if bad > most_bad * max(1, len(found) + bad - len({each.line for each in refused})):
        raise BadInput(
            "too_many_bad_lines",
            f"{bad} lines cannot be recorded, so nothing was. First: line {rejected[0].line}, "
            f"column {rejected[0].column}: {rejected[0].hint}",
        )
    ref = ids.import_reference()
    if not yeses:
        return Imported(ref=ref, recorded=0, superseded=0, rejected=tuple(rejected))
    superseded = _write(holder, yeses, ref, by=by, at=at, via=via)
    return Imported(ref, len(yeses), superseded, tuple(rejected))


def _write(
    holder: Organisation,
    yeses: Sequence[Yes],
    ref: str,
    *,
    by: User,
    at: datetime,
    via: Via,
) -> int:
    newest: dict[tuple[int, int, int], Yes] = {}
    for yes in sorted(yeses, key=lambda each: (each.signed_at, each.line)):
        newest[yes.key] = yes
    recipients = {yes.recipient.pk for yes in yeses}
    replaced = _running(holder, newest)
    with _opened(recipients, {slot for slot, *_ in replaced}) as moment:
        now = moment.at if moment else at
        hold({yes.slot for yes in yeses})  # from here to the end none of them says anything else
        still = _running(holder, newest)
        older = list(Consent.objects.select_for_update().filter(pk__in=still.values()))
        if set(still) != set(replaced) or _overtaken(newest, older) or _refused_meanwhile(yeses):
            raise BadInput("changed_meanwhile", "Somebody said yes or no meanwhile. Import again.")
        for consent in older:
            consent.ended_at, consent.ending = now, Ending.SUPERSEDED
        Consent.objects.bulk_update(older, ["ended_at", "ending"], batch_size=BATCH)
        if moment is not None:
            for recipient, purpose, people in facts.replaced(older):
                moment.tell(what="replaced", recipient=recipient, purpose=purpose, people=people)
        nonce = secrets.token_bytes(16)
        slots = sorted({yes.slot for yes in yeses})
        entry = trail.record(
            type=EntryType.CONSENT_IMPORTED,
            by=by,
            at=now,
            via=via,
            resource=ref,
            subjects=len(slots),
            subjects_root=subjects_root(keys.tags_of(holder.ref, slots, nonce)),
            nonce=nonce,
            epoch_everyone=moment.everyone if moment else None,
        )
        made = _created(holder, yeses, newest, by=by, at=now)
        events = [
            ConsentEvent(consent=each, happening=Happening.GIVEN, at=now, by=by, entry=entry)
            for each in made
        ] + [
            ConsentEvent(consent=each, happening=Happening.SUPERSEDED, at=now, by=by, entry=entry)
            for each in [*older, *(one for one in made if one.ended_at is not None)]
        ]
        ConsentEvent.objects.bulk_create(events, batch_size=BATCH)
    return len(older) + sum(1 for one in made if one.ended_at is not None)


def _created(
    holder: Organisation,
    yeses: Sequence[Yes],
    newest: Mapping[tuple[int, int, int], Yes],
    *,
    by: User,
    at: datetime,
) -> list[Consent]:
    sets: dict[tuple[object, ...], CategorySet] = {}
    made: list[Consent] = []
    for yes in yeses:
        chosen = (yes.signed_at, *sorted(category.pk for category in yes.categories))
        if chosen not in sets:
            sets[chosen] = category_set(yes.categories, yes.signed_at)
        current = newest[yes.key] is yes
        made.append(
            Consent(
                subject_id=yes.slot,
                holder=holder,
                recipient=yes.recipient,
                purpose=yes.purpose,
                category_set=sets[chosen],
                terms=yes.terms,
                channel=yes.channel,
                signer=yes.signer,
                authority=yes.authority,
                signature=yes.signature,
                answers="y" * rules.QUESTIONS,
                signed_at=yes.signed_at,
                recorded_at=at,
                recorded_by=yes.recorded_by,
                starts=yes.starts,
                ends=yes.ends,
                record_until=yes.record_until,
                ended_at=None if current else at,
                ending=None if current else Ending.SUPERSEDED,
            )
        )
    Consent.objects.bulk_create(made, batch_size=BATCH)
    return made


def _running(
    holder: Organisation, newest: Mapping[tuple[int, int, int], Yes]
) -> dict[tuple[int, int, int], int]:
    """The consents in force (or paused, or to come) that these yeses replace."""
    found: dict[tuple[int, int, int], int] = {}
    slots = iter({slot for slot, *_ in newest})
    while chunk := list(islice(slots, 5000)):
        rows = Consent.objects.filter(
            holder=holder, subject__in=chunk, ended_at__isnull=True
        ).values_list("subject_id", "recipient_id", "purpose_id", "pk")
        found.update(
            ((slot, recipient, purpose), pk)
            for slot, recipient, purpose, pk in rows
            if (slot, recipient, purpose) in newest
        )
    return found


def _overtaken(newest: Mapping[tuple[int, int, int], Yes], running: Sequence[Consent]) -> bool:
    """Whether a yes on record is newer than the paper that would replace it."""
    return any(
        newest[one.subject_id, one.recipient_id, one.purpose_id].signed_at < one.signed_at
        for one in running
    )


def _refused_meanwhile(yeses: Sequence[Yes]) -> bool:
    """Whether anybody said no after her paper was judged: her paper is older than that no."""
    asks: dict[tuple[int, int], list[Yes]] = {}
    for yes in yeses:
        asks.setdefault((yes.recipient.pk, yes.purpose.pk), []).append(yes)
    for same in asks.values():
        noes = latest.noes(
            slots={yes.slot for yes in same}, recipient=same[0].recipient, purpose=same[0].purpose
        )
        if any(yes.slot in noes and yes.signed_at <= noes[yes.slot] for yes in same):
            return True
    return False


def _opened(
    recipients: set[int], replaced: set[int]
) -> AbstractContextManager[scopes.Moment | None]:
    if not replaced:
        return plain()
    return scopes.narrowing(act=Narrowing.CONSENT_SUPERSEDED, recipients=recipients, slots=replaced)
