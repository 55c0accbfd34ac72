"""By which rules answers were given: each entry's policy digest, made again from what it rested on."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.vocabulary import EntryType
from governance.models import Decision
from governance.queries.policies import bases, of_charter
from governance.rules.policies import BOARD_PUBLISHED, Basis
from oversight.queries.asked import OWN
from oversight.queries.looks import Step, twice
from oversight.vocabulary import Finding, Kind, Told, Uncommitted
from release.models import Inquiry, Release
from release.rules.policy import GATE_PUBLISHED, gate_policy

# Whoever was turned away for want of a role was answered by no rule of the gate.
TURNING_AWAY = {EntryType.DOWNLOAD_REFUSED, EntryType.DOWNLOAD_STOPPED}
ANSWERS = TURNING_AWAY | {
    *(EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED),
    *(EntryType.DOWNLOAD_GIVEN, EntryType.INQUIRY_ANSWERED),
}
# A holder's asking reads what it rests on a moment before it decides.
MEANWHILE = timedelta(minutes=1)
SAYS = (
    "it was answered under another agreement, charter or purpose than it now rests on, "
    "or by rules that were never given out."
)


def answers(step: Step) -> Iterator[Told]:
    """Each answer about rows, a package or one person rests on what it rested on when it was given."""
    for page in log.pages_of(ANSWERS):
        yield from twice(_answers, page)
        step(len(page))


def _answers(page: list[EntryFacts]) -> Iterator[Told]:
    about = [entry.resource for entry in page]
    requests: dict[str, int] = dict(
        Release.objects.filter(ref__in=about).values_list("ref", "request_id")
    )
    requests |= dict(Inquiry.objects.filter(ref__in=about).values_list("ref", "request_id"))
    rests = bases(set(requests.values()))
    decided = dict(
        Decision.objects.filter(request__in=rests).values_list("request_id", "decided_at")
    )
    for entry in page:
        request = requests.get(entry.resource)
        if request is None or _turned_away(entry):
            continue  # another look names it, or no rule of the gate answered
        if not entry.policy:
            yield Uncommitted(entry.place)
            continue
        basis = rests[request]
        rested = [basis]
        if request not in decided or entry.time < decided[request] + MEANWHILE:
            rested.append(_undecided(basis))
        if not any(entry.policy in _by_any_rules(each) for each in rested):
            yield Finding(Kind.POLICY_AND_ENTRY, entry.place, SAYS)


@lru_cache(4096)  # many entries rest on the same
def _by_any_rules(basis: Basis) -> set[str]:
    """Under the gate's rules of each version that was given out."""
    return {gate_policy(basis, rules) for rules in GATE_PUBLISHED}


def _turned_away(entry: EntryFacts) -> bool:
    if entry.type in TURNING_AWAY:
        return not entry.policy
    return entry.type == EntryType.INQUIRY_ANSWERED and not entry.resource.startswith(OWN)


def _undecided(basis: Basis) -> Basis:
    return Basis(basis.purpose, basis.agreement, basis.text, "")


def boards(step: Step) -> Iterator[Told]:
    """Each board's answer was established under the charter that it names."""
    for page in log.pages_of({EntryType.REQUEST_DECIDED}):
        yield from twice(_boards, page)
        step(len(page))


def _boards(page: list[EntryFacts]) -> Iterator[Told]:
    rows = Decision.objects.filter(request__ref__in=[entry.resource for entry in page])
    charters: Mapping[str, set[str]] = {
        row.request.ref: {of_charter(row.charter, each) for each in BOARD_PUBLISHED}
        for row in rows.select_related("request", "charter__board")
    }
    for entry in page:
        if entry.resource not in charters:
            continue  # the requests' own look names it
        if not entry.policy:
            yield Uncommitted(entry.place)
        elif entry.policy not in charters[entry.resource]:
            yield Finding(Kind.POLICY_AND_ENTRY, entry.place, SAYS)


CHECKS = (
    ("answers and what they rested on", answers),
    ("boards' answers and their charters", boards),
)
