"""Reading the log is a deed: what was asked is kept, and its entry is signed before an answer."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from django.db import transaction
from django.utils import timezone

from audit import queries as log
from audit.actions import settle
from audit.queries import search as entries
from audit.queries.search import Day, Row
from audit.vocabulary import Decision, EntryType, Via
from common.errors import NotPermitted
from common.inputs import Number, taking
from common.words import sentence as _
from governance.actions import trail
from governance.models import User
from oversight.actions.cases import locked
from oversight.models import AuditCase, Reading
from oversight.permissions import check_can_look
from oversight.queries import search, then
from oversight.queries.search import Said
from oversight.queries.then import Then
from oversight.rules import anomalies, asked_digest
from oversight.rules.anomalies import CLOSES, OPENS, Deeds, Spoken
from oversight.vocabulary import Look, Wanted
from release.queries import crowds

PAGE = 50
NEIGHBOURS = 10
LONGEST = timedelta(days=92)  # so many days a timeline shows
LOOKED_BACK = timedelta(days=30)  # for what is unusual
TAKING = (
    EntryType.RELEASE_ASKED, EntryType.RELEASE_REFUSED, EntryType.DOWNLOAD_GIVEN,
    EntryType.DOWNLOAD_REFUSED, EntryType.INQUIRY_ANSWERED, EntryType.RELEASE_COUNTED,
)  # fmt: skip
NUMBER = Number(least=0, name=_("Entry"))


@dataclass(frozen=True)
class Page:
    """Entries, newest first; `next` is the number below which the next page begins. `said`: what the
    person said whose handle was asked for."""

    rows: list[Row]
    next: int | None
    said: list[Said]


@dataclass(frozen=True)
class Event:
    """One entry as it was logged, what was in force then, and what else was about the same."""

    entry: Any
    then: Then | None
    others: list[Row]
    before: bytes | None
    size: int


@taking(before=NUMBER)
def find(
    *, case: AuditCase, wanted: Wanted, before: int | None, by: User, at: datetime, via: Via
) -> Page:
    """One page of what the log has. Raises NotPermitted for whoever is no auditor of the case, and
    leaves an entry then too; RuleBroken for a closed case; NotReady where the entry of this look
    cannot be signed, or the key of the holder is away whose client a handle is for."""
    look = Look.PERSON if wanted.handle else Look.SEARCH
    note(case=case, look=look, asked={**search.asked(wanted), **_cursor(before)}, by=by, at=at, via=via)  # fmt: skip
    rows = entries.page(search.sought(case, wanted), before=before, most=PAGE + 1)
    more = rows[PAGE - 1].seq if len(rows) > PAGE else None
    said = search.said(case, wanted.handle) if wanted.handle and before is None else []
    return Page(rows[:PAGE], more, said)


@taking(number=NUMBER)
def event(*, case: AuditCase, number: int, by: User, at: datetime, via: Via) -> Event | None:
    """One entry of this number, with what was in force at its time; None where the log has none.

    Raises as `find` does.
    """
    note(case=case, look=Look.EVENT, asked={"entry": str(number)}, by=by, at=at, via=via)
    found = next(log.entries(number, number + 1), None)
    if found is None:
        return None
    previous = next(log.entries(number - 1, number), None) if number else None
    others = (
        entries.neighbours(found.resource, but=number, most=NEIGHBOURS) if found.resource else []
    )
    return Event(
        entry=found,
        then=then.of(case, found.resource, found.time),
        others=others,
        before=bytes(previous.leaf_hash) if previous is not None else None,
        size=log.log_size(),
    )


@taking()
def timeline(*, case: AuditCase, wanted: Wanted, by: User, at: datetime, via: Via) -> list[Day]:
    """What the log has, day by day; of three months at most. Raises as `find` does."""
    until = wanted.until or at
    since = max(wanted.since or until - LONGEST, until - LONGEST)
    within = Wanted(**{**vars(wanted), "since": since, "until": until})
    note(case=case, look=Look.TIMELINE, asked=search.asked(within), by=by, at=at, via=via)
    return entries.days(
        search.sought(case, within),
        zone=timezone.get_default_timezone(),
        opens=OPENS,
        closes=CLOSES,
    )


def hints(*, case: AuditCase, by: User, at: datetime, via: Via) -> list[Spoken]:
    """What looks unusual within the last month, by the rules. Raises as `find` does."""
    note(case=case, look=Look.HINTS, asked={}, by=by, at=at, via=via)
    since, zone = at - LOOKED_BACK, timezone.get_default_timezone()
    counted = entries.deeds(TAKING, since, at, zone=zone, opens=OPENS, closes=CLOSES)
    forced = entries.deeds(
        [EntryType.RELEASE_COMPELLED], since, at, zone=zone, opens=OPENS, closes=CLOSES
    )
    by_day: dict[Any, int] = {}
    for _actor, day, count, _refused, _late in forced:
        by_day[day] = by_day.get(day, 0) + count
    often = {**search.releases_of(case, since), **crowds.most_often(since, at)}
    return anomalies.hints([Deeds(*row) for row in counted], often, by_day)


def note(
    *, case: AuditCase, look: Look, asked: dict[str, str], by: User, at: datetime, via: Via
) -> Reading:
    """Who looks, for which case, at what: kept for those who govern, and signed in the log."""
    salt = secrets.token_hex(16)
    kept = {**asked, "salt": salt}
    digest = asked_digest(kept)
    try:
        check_can_look(by, case)
    except NotPermitted as refusal:
        _refused(case, look, digest, refusal.code, by=by, at=at, via=via)
        raise
    with transaction.atomic():
        locked(case)
        entry = trail.record(
            type=_type(look),
            by=by,
            at=at,
            via=via,
            resource=_resource(case, look, asked),
            decision=Decision.PERMITTED,
            reason=look.value,
            detail_commit=digest,
        )
        reading = Reading.objects.create(
            case=case, look=look, asked=kept, by=by, at=at, entry=entry
        )
    settle(entry=entry)
    return reading


@transaction.atomic
def _refused(
    case: AuditCase, look: Look, digest: str, code: str, *, by: User, at: datetime, via: Via
) -> None:
    trail.record(
        type=_type(look),
        by=by,
        at=at,
        via=via,
        resource=case.ref,
        decision=Decision.REFUSED,
        reason=code,
        detail_commit=digest,
    )


def _type(look: Look) -> EntryType:
    match look:
        case Look.SEARCH | Look.PERSON:
            return EntryType.LOG_SEARCHED
        case Look.EVENT | Look.TIMELINE | Look.HINTS | Look.ACCESS:
            return EntryType.LOG_READ
        case Look.VERIFY:
            return EntryType.LOG_VERIFIED
        case Look.EXPORT | Look.TAKEN:
            return EntryType.LOG_EXPORTED
        case Look.WORKSHEET:
            return EntryType.WORKSHEET_DRAWN
        case never:
            assert_never(never)


def _resource(case: AuditCase, look: Look, asked: dict[str, str]) -> str:
    return f"{case.ref}/{asked['entry']}" if look is Look.EVENT else case.ref


def _cursor(before: int | None) -> dict[str, str]:
    return {} if before is None else {"before": str(before)}
