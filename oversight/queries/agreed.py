"""What was asked, answered and signed: requests, their boards' answers and agreements, each against its
entries, and each entry against them (ADR 21)."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from audit import queries as details
from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import said_otherwise
from audit.vocabulary import EntryType
from governance.models import AccessRequest, Agreement, AgreementSignature, Decision
from governance.queries import agreements as agreement_queries
from governance.queries import requests as request_queries
from oversight.queries.looks import Step, keys, twice
from oversight.rules import agreed, standing
from oversight.vocabulary import Finding, Kind, Told, Uncommitted

REQUESTS = {*agreed.REQUEST, EntryType.REQUEST_DECIDED}
AGREEMENTS = {*standing.AGREEMENT, EntryType.AGREEMENT_SIGNED}
OF_REQUEST, OF_AGREEMENT = Kind.REQUEST_AND_ENTRIES, Kind.AGREEMENT_AND_ENTRIES
PLAIN = {
    "requester": "who asks",
    "dataset": "for which dataset",
    "purpose": "what for",
    "agreement": "under which agreement",
    "fields": "which fields",
    "reason": "why",
    "benefit": "what good it does",
    "format": "in which form",
    "starts": "its start",
    "ends": "its end",
    "answer_by": "until when it is answered",
    "outcome": "the answer",
    "charter": "under which charter",
    "votes": "the votes",
}


def requests(step: Step) -> Iterator[Told]:
    """Each request is in the state that its entries led to, asks what was handed in, and was answered
    as its board answered."""
    for page in keys(AccessRequest.objects.all()):
        yield from twice(_requests, page)
        step(len(page))


def _requests(pks: list[int]) -> Iterator[Told]:
    rows = list(
        AccessRequest.objects.filter(pk__in=pks)
        .select_related("requester", "dataset", "purpose", "agreement")
        .order_by("pk")
    )
    entries = _by_resource(REQUESTS, [row.ref for row in rows])
    decisions = {
        each.request_id: each
        for each in Decision.objects.filter(request__in=pks).select_related("charter")
    }
    beside = details.sealed_details([each.pk for several in entries.values() for each in several])
    for row in rows:
        place, theirs = f"request {row.ref}", entries.get(row.ref, [])
        state = agreed.request_state((each.type, each.decision) for each in theirs)
        if state != row.state:
            says = "it is not in the state that its entries led to."
            yield Finding(OF_REQUEST, place, says)
        handed_in = [each for each in theirs if each.type == EntryType.REQUEST_SUBMITTED]
        yield from _agrees(handed_in, request_queries.said(row), beside, place)
        answered = [each for each in theirs if each.type == EntryType.REQUEST_DECIDED]
        yield from _answered(answered, decisions.get(row.pk), beside, place)


def _answered(
    entries: list[EntryFacts], decision: Decision | None, beside: Mapping[int, bytes], place: str
) -> Iterator[Told]:
    if decision is None:
        if entries:
            says = f"the board's answer that {entries[0].place} is about is not there."
            yield Finding(OF_REQUEST, place, says)
    elif not any(each.time == decision.decided_at for each in entries):
        says = "no entry says that a board gave this answer then."
        yield Finding(OF_REQUEST, place, says)
    else:
        yield from _agrees(entries, request_queries.answered(decision), beside, place)


def _agrees(
    entries: list[EntryFacts], said: Mapping[str, str], beside: Mapping[int, bytes], place: str
) -> Iterator[Told]:
    for entry in entries:
        kept = beside.get(entry.pk)
        if not entry.detail_commit:
            yield Uncommitted(entry.place)
        elif kept is None or sha256(kept).hexdigest() != entry.detail_commit:
            says = "what it commits to is gone, or is another."
            yield Finding(OF_REQUEST, entry.place, says)
        elif other := said_otherwise(kept, said):
            what = "; ".join(PLAIN[name] for name in other)
            says = f"it does not say what {entry.place} commits to: {what}."
            yield Finding(OF_REQUEST, place, says)


def agreements(step: Step) -> Iterator[Finding]:
    """Each agreement is in the state that its entries led to, and says what both have signed."""
    for page in keys(Agreement.objects.all()):
        yield from twice(_agreements, page)
        step(len(page))


def _agreements(pks: list[int]) -> Iterator[Finding]:
    rows = list(
        Agreement.objects.filter(pk__in=pks).select_related("holder", "recipient").order_by("pk")
    )
    entries = _by_resource(AGREEMENTS, [row.ref for row in rows])
    signatures: dict[int, list[AgreementSignature]] = {}
    for signature in AgreementSignature.objects.filter(agreement__in=pks).order_by("pk"):
        signatures.setdefault(signature.agreement_id, []).append(signature)
    for row in rows:
        theirs, place = entries.get(row.ref, []), f"agreement {row.ref}"
        state = agreed.agreement_state((each.type, each.reason) for each in theirs)
        if state != row.state:
            says = "it is not in the state that its entries led to."
            yield Finding(OF_AGREEMENT, place, says)
        signed = [each for each in theirs if each.type == EntryType.AGREEMENT_SIGNED]
        kept = signatures.get(row.pk, [])
        if [(each.signed_at, each.digest) for each in kept] != [
            (each.time, each.detail_commit) for each in signed
        ]:
            says = "its signatures are not those that its entries are about."
            yield Finding(OF_AGREEMENT, place, says)
        if signed and {each.detail_commit for each in signed} != {
            agreement_queries.content_digest(row)
        }:
            yield Finding(OF_AGREEMENT, place, "it does not say what was signed.")


def entries_of_these(step: Step) -> Iterator[Finding]:
    """Each entry about a request or an agreement has its row."""
    for page in log.pages_of(REQUESTS | AGREEMENTS):
        yield from twice(_entries_of_these, page)
        step(len(page))


def _entries_of_these(page: list[EntryFacts]) -> Iterator[Finding]:
    about = {entry.resource for entry in page}
    requested = set(AccessRequest.objects.filter(ref__in=about).values_list("ref", flat=True))
    signed = set(Agreement.objects.filter(ref__in=about).values_list("ref", flat=True))
    for entry in page:
        if entry.type in REQUESTS and entry.resource not in requested:
            yield Finding(OF_REQUEST, entry.place, f"request {entry.resource} is not there.")
        if entry.type in AGREEMENTS and entry.resource not in signed:
            yield Finding(OF_AGREEMENT, entry.place, f"agreement {entry.resource} is not there.")


def _by_resource(types: set[EntryType], refs: list[str]) -> dict[str, list[EntryFacts]]:
    found: dict[str, list[EntryFacts]] = {}
    for entry in log.about(types, refs):
        found.setdefault(entry.resource, []).append(entry)
    return found


CHECKS = (
    ("requests and their entries", requests),
    ("agreements and their entries", agreements),
    ("entries and their requests and agreements", entries_of_these),
)
