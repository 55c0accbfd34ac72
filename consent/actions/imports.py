"""Recording many yeses signed on paper, as one deed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from audit.vocabulary import EntryType, Via
from common import ids
from common.errors import BadInput
from common.inputs import taking
from consent.actions.papers import reading
from consent.actions.papers.judging import Key, Yes, judged, known_to
from consent.actions.papers.reading import Rejected, read
from consent.actions.papers.writing import Ready, made_ready, write
from consent.actions.subjects import hold
from consent.models import Consent
from consent.permissions import check_can_advise
from consent.queries import facts, latest, speaking
from consent.rules.speaking import SignedFact, problems
from consent.vocabulary import Ending
from governance.actions import scopes, trail
from governance.models import Organisation, User
from governance.queries.scopes import Epochs, epochs, moves_since
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


@taking()
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
    # First; the noes that are read below are younger than these.
    seen = {
        recipient.pk: epochs(recipient.pk)
        for recipient in {known.recipients.get(line.cells["recipient"]) for line in found}
        if recipient is not None
    }
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
    ready = made_ready(holder, yeses)
    seen = {yes.recipient.pk: seen[yes.recipient.pk] for yes in yeses}
    superseded = _write(holder, ready, seen, ref, by=by, at=at, via=via)
    return Imported(ref, len(yeses), superseded, tuple(rejected))


def _write(
    holder: Organisation,
    ready: Ready,
    seen: Mapping[int, Epochs],
    ref: str,
    *,
    by: User,
    at: datetime,
    via: Via,
) -> int:
    """Everything that takes long is done; what is left runs under the locks of all these people."""
    replaced = _running(holder, ready.newest)
    signed = {key: ready.newest[key].signed_at for key in replaced}
    told = list(facts.replaced(signed))  # no longer true under the locks: then nothing is written
    with _opened(seen, {slot for slot, *_ in replaced}) as moment:
        now = moment.at if moment else at
        hold(ready.slots)  # from here to the end none of them says anything else
        older = _running(holder, ready.newest)
        if (
            older.keys() != replaced.keys()
            or _overtaken(ready.newest, older)
            or _refused_meanwhile(ready, seen, moment)
            or _silenced_meanwhile(ready)
        ):
            raise _changed()
        _supersede([pk for pk, _ in older.values()], now)
        for recipient, purpose, people in told:
            if moment is not None:
                moment.tell(what="replaced", recipient=recipient, purpose=purpose, people=people)
        entry = trail.record(
            type=EntryType.CONSENT_IMPORTED,
            by=by,
            at=now,
            via=via,
            resource=ref,
            subjects=len(ready.slots),
            subjects_root=ready.root,
            nonce=ready.nonce,
            detail=ready.beside,
            epoch_everyone=moment.everyone if moment else None,
        )
        write(ready, [pk for pk, _ in older.values()], by=by, at=now, entry=entry.pk)
    return len(older) + ready.replaced_inside


def _running(holder: Organisation, newest: Mapping[Key, Yes]) -> dict[Key, tuple[int, datetime]]:
    """The consents in force (or paused, or to come) that these yeses replace: row and signing."""
    found: dict[Key, tuple[int, datetime]] = {}
    slots = iter({slot for slot, *_ in newest})
    while chunk := list(islice(slots, 5000)):
        rows = Consent.objects.filter(
            holder=holder, subject__in=chunk, ended_at__isnull=True
        ).values_list("subject_id", "recipient_id", "purpose_id", "pk", "signed_at")
        found.update(
            ((slot, recipient, purpose), (pk, signed_at))
            for slot, recipient, purpose, pk, signed_at in rows
            if (slot, recipient, purpose) in newest
        )
    return found


def _overtaken(newest: Mapping[Key, Yes], older: Mapping[Key, tuple[int, datetime]]) -> bool:
    """Whether a yes on record is newer than the paper that would replace it."""
    return any(newest[key].signed_at < signed_at for key, (_, signed_at) in older.items())


def _refused_meanwhile(
    ready: Ready, seen: Mapping[int, Epochs], moment: scopes.Moment | None
) -> bool:
    """Whether somebody said no after her paper was judged: her paper is older than that no.

    Every no moves an epoch and names its people, so only those are looked at again.
    """
    for recipient, before in seen.items():
        own = Epochs(before.everyone, before.scope + 1)
        if moment is not None and moment.of(recipient) == own:
            continue  # the only move since is this import's own
        touched = moves_since(before, recipient).slots.intersection(ready.slots)
        if not touched:
            continue
        for purpose in {yes.purpose for yes in ready.newest.values()}:
            noes = latest.noes(
                slots=touched, recipient=Organisation.objects.get(pk=recipient), purpose=purpose
            )
            if any(
                yes is not None and yes.signed_at <= no
                for slot, no in noes.items()
                for yes in [ready.newest.get((slot, recipient, purpose.pk))]
            ):
                return True
    return False


def _silenced_meanwhile(ready: Ready) -> bool:
    """Whether somebody of them may not say yes alone, as is known since her paper was judged."""
    known = speaking.silent(ready.slots)
    return any(
        yes.slot in known
        and problems(
            SignedFact(yes.recipient.pk, yes.signed_at, yes.ends),
            known[yes.slot],
            at=yes.signed_at,
        )
        for yes in ready.newest.values()
    )


def _supersede(older: Sequence[int], at: datetime) -> None:
    for start in range(0, len(older), BATCH):
        chunk = older[start : start + BATCH]
        still = Consent.objects.filter(pk__in=chunk, ended_at__isnull=True)
        if still.update(ended_at=at, ending=Ending.SUPERSEDED) != len(chunk):
            raise _changed()


def _changed() -> BadInput:
    return BadInput("changed_meanwhile", "Somebody said yes or no meanwhile. Import again.")


def _opened(
    recipients: Iterable[int], replaced: Collection[int]
) -> AbstractContextManager[scopes.Moment | None]:
    if not replaced:
        return scopes.plain()
    return scopes.narrowing(
        act=Narrowing.CONSENT_SUPERSEDED, recipients=set(recipients), slots=replaced
    )
