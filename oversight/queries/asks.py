"""Asks for a yes and noes that are to be taken back: how they stand, against the entries of each step.

Needs nobody's key: whose an ask is is committed to beside its entries. Entries of before that commit
to nothing; they are counted and said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from audit import queries as details
from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.vocabulary import EntryType
from consent.models import Lifting, Proposal, ProposalStep
from consent.queries import words
from consent.vocabulary import ProposalState, Turn
from oversight.queries.looks import Step, keys, twice
from oversight.queries.said import ASKS, LIFTINGS
from oversight.queries.words import KIND, compared, is_whole
from oversight.vocabulary import Finding, Kind, Told, Uncommitted

# Under the first entry of the yes that an ask became: what it says is committed to there.
BECAME = {EntryType.CONSENT_GIVEN, EntryType.CONSENT_RENEWED}
UNDER: Mapping[str, set[EntryType]] = {
    Turn.ASKED: {EntryType.CONSENT_REQUESTED},
    Turn.DEFERRED: {EntryType.CONSENT_DEFERRED},
    Turn.SIGNED: {EntryType.CONSENT_SIGNED, *BECAME},
    Turn.WAIVED: BECAME,
    Turn.GIVEN: BECAME,
    Turn.REFUSED: {EntryType.CONSENT_REFUSED},
    Turn.LAPSED: {EntryType.CONSENT_LAPSED},
    Turn.CANCELLED: {EntryType.CONSENT_CANCELLED},
}
LEADS_TO: Mapping[str, ProposalState] = {
    Turn.ASKED: ProposalState.OPEN,
    Turn.DEFERRED: ProposalState.DEFERRED,
    Turn.SIGNED: ProposalState.WAITING,
    Turn.WAIVED: ProposalState.GIVEN,
    Turn.GIVEN: ProposalState.GIVEN,
    Turn.REFUSED: ProposalState.REFUSED,
    Turn.LAPSED: ProposalState.LAPSED,
    Turn.CANCELLED: ProposalState.CANCELLED,
}


def asks(step: Step) -> Iterator[Told]:
    """Each ask stands as its steps say, and says what the entry of each commits to."""
    for page in keys(Proposal.objects.all()):
        yield from twice(_asks, page)
        step(len(page))


def _asks(pks: list[int]) -> Iterator[Told]:
    rows = Proposal.objects.filter(pk__in=pks).order_by("pk")
    steps: dict[int, list[ProposalStep]] = {}
    for each in ProposalStep.objects.filter(proposal__in=pks).order_by("pk"):
        steps.setdefault(each.proposal_id, []).append(each)
    of = [each.entry_id for several in steps.values() for each in several]
    entries, beside, said = log.facts(of), details.sealed_details(of), words.asks(pks)
    for row in rows:
        theirs, place = steps.get(row.pk, []), f"ask row {row.pk}"
        if not _stands(row, theirs):
            says = "it does not stand as its steps say: its state or its end is another."
            yield Finding(Kind.STATE_AND_EVENTS, place, says)
        for each in theirs:
            entry = entries.get(each.entry_id)
            if entry is None or entry.type not in UNDER[each.turn] or entry.time != each.at:
                says = f"its step ({each.turn}) has no entry that is about it."
                yield Finding(Kind.EVENT_WITHOUT_ENTRY, place, says)
            elif entry.type in ASKS:
                yield from _held(entry, beside.get(entry.pk), said[row.pk], place)


def _stands(row: Proposal, steps: Collection[ProposalStep]) -> bool:
    last = max(steps, key=lambda each: each.pk, default=None)
    if last is None or LEADS_TO.get(last.turn) != row.state:
        return False
    return row.closed_at in {None, last.at}


def _held(entry: EntryFacts, kept: bytes | None, now: words.Said, place: str) -> Iterator[Told]:
    if not entry.detail_commit:
        yield Uncommitted(entry.place)
    elif kept is None or not is_whole(entry, kept):
        yield Finding(KIND, entry.place, "what it commits to is gone, or is another.")
    else:
        yield from compared(kept, now, entry, place)


def liftings(step: Step) -> Iterator[Told]:
    """Each no that is to be taken back, or is to stay after all, says what an entry commits to."""
    for page in keys(Lifting.objects.all()):
        yield from twice(_liftings, page)
        step(len(page))


def _liftings(pks: list[int]) -> Iterator[Told]:
    rows = list(Lifting.objects.filter(pk__in=pks).order_by("pk"))
    entries = list(log.at_time(LIFTINGS, {row.asked_at for row in rows}))
    beside = details.sealed_details([entry.pk for entry in entries])
    said = words.liftings(pks)
    for row in rows:
        own = [each for each in entries if each.time == row.asked_at]
        yield from _one_of(own, beside, said[row.pk], f"lifting row {row.pk}")


def _one_of(
    entries: Iterable[EntryFacts], beside: Mapping[int, bytes], now: words.Said, place: str
) -> Iterator[Told]:
    """Nothing where one of those of that instant agrees; several noes may be taken back at once."""
    found: list[Told] = []
    for entry in entries:
        own = list(_held(entry, beside.get(entry.pk), now, place))
        if not own:
            return
        found += own
    yield found[0] if found else Finding(KIND, place, "no entry says that it was asked for.")


CHECKS = (
    ("asks for a yes and their steps", asks),
    ("noes to be taken back and their entries", liftings),
)
