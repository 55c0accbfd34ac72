"""What staff wrote beside their deeds: each text in the tables is the one sealed beside its entry.

Entries of before that was sealed commit to no text, or to less of it, and are passed over in that.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.vocabulary import Decision, EntryType
from common.errors import NotReady
from governance.models import Ballot, User
from governance.queries.details import opened
from oversight.models import AuditCase, FindingStep, Job, MembershipReview, Reading
from oversight.queries import cases as cases_of
from oversight.queries.looks import Step, keys, twice
from oversight.rules import asked_digest
from oversight.vocabulary import Finding, JobKind, Kind, Locked, Look, Told

SERVICE = "service"
LOOKS = {
    *(EntryType.LOG_SEARCHED, EntryType.LOG_READ, EntryType.LOG_VERIFIED, EntryType.LOG_EXPORTED),
    EntryType.WORKSHEET_DRAWN,
}


@dataclass(frozen=True)
class Text:
    """What a row says, who wrote it, and its entry, where there is one."""

    place: str
    by: User
    said: dict[str, str]
    entry: EntryFacts | None


def ballots(step: Step) -> Iterator[Told]:
    """Each vote and its reason."""
    for page in keys(Ballot.objects.all()):
        yield from twice(_told_of(_ballots), page)
        step(len(page))


def _ballots(pks: list[int]) -> Iterator[Text]:
    rows = Ballot.objects.filter(pk__in=pks).select_related("request", "seat__user")
    by_resource = {f"{row.request.ref}/seat-{row.seat_id}": row for row in rows.order_by("pk")}
    entries = _about(EntryType.BALLOT_CAST, by_resource)
    for resource, row in by_resource.items():
        said = {"vote": row.vote, "reason": row.reason}
        yield Text(f"the ballot {resource}", row.seat.user, said, entries.get(resource))


def cases(step: Step) -> Iterator[Told]:
    """Each audit case: why it was opened."""
    for page in keys(AuditCase.objects.all()):
        yield from twice(_told_of(_cases), page)
        step(len(page))


def _cases(pks: list[int]) -> Iterator[Text]:
    rows = list(AuditCase.objects.filter(pk__in=pks).select_related("opened_by").order_by("pk"))
    entries = _about(EntryType.CASE_OPENED, [row.ref for row in rows])
    for row in rows:
        said = {"title": row.title, "reason": row.reason}
        yield Text(f"case {row.ref}", row.opened_by, said, entries.get(row.ref))


def findings(step: Step) -> Iterator[Told]:
    """Each thing that was said of a finding."""
    for page in keys(FindingStep.objects.all()):
        yield from twice(_told_of(_findings), page)
        step(len(page))


def _findings(pks: list[int]) -> Iterator[Text]:
    steps = FindingStep.objects.filter(pk__in=pks).order_by("pk")
    rows = list(steps.select_related("by", "finding__organisation"))
    entries = log.facts([row.entry_id for row in rows])
    for row in rows:
        said = cases_of.said(row.finding, row.step, row.text)
        yield Text(f"finding step row {row.pk}", row.by, said, entries.get(row.entry_id))


def reviews(step: Step) -> Iterator[Told]:
    """What auditors said of each role."""
    for page in keys(MembershipReview.objects.all()):
        yield from twice(_told_of(_reviews), page)
        step(len(page))


def _reviews(pks: list[int]) -> Iterator[Text]:
    rows = list(MembershipReview.objects.filter(pk__in=pks).select_related("by").order_by("pk"))
    entries = log.facts([row.entry_id for row in rows])
    for row in rows:
        place = f"membership review row {row.pk}"
        yield Text(place, row.by, {"reason": row.reason}, entries.get(row.entry_id))


def readings(step: Step) -> Iterator[Finding]:
    """What each auditor looked for; needs no key, for its salt stands beside it."""
    for page in keys(Reading.objects.all()):
        yield from twice(_readings, page)
        step(len(page))


def _readings(pks: list[int]) -> Iterator[Finding]:
    rows = list(Reading.objects.filter(pk__in=pks).order_by("pk"))
    entries = log.facts([row.entry_id for row in rows])
    for row in rows:
        place, entry = f"reading row {row.pk}", entries.get(row.entry_id)
        if entry is None:
            yield Finding(Kind.TEXT_AND_ENTRY, place, "its entry is not there.")
        elif (entry.time, entry.reason, entry.detail_commit) != (
            row.at,
            row.look,
            asked_digest(row.asked),
        ):
            says = f"it says something else than {entry.place} commits to."
            yield Finding(Kind.TEXT_AND_ENTRY, place, says)


def exports(step: Step) -> Iterator[Finding]:
    """Why each export was asked for: as the auditor said when asking."""
    for page in keys(Job.objects.filter(kind=JobKind.EXPORT)):
        yield from twice(_exports, page)
        step(len(page))


def _exports(pks: list[int]) -> Iterator[Finding]:
    for row in Job.objects.filter(pk__in=pks).order_by("pk"):
        place = f"export {row.ref}"
        asked = Reading.objects.filter(
            case=row.case_id, look=Look.EXPORT, by=row.asked_by_id, at=row.asked_at
        ).values_list("asked", flat=True)
        if not asked:
            yield Finding(Kind.TEXT_AND_ENTRY, place, "no entry says that it was asked for.")
        elif all(each.get("reason", row.reason) != row.reason for each in asked):
            says = "its reason is not the one that was given when it was asked for."
            yield Finding(Kind.TEXT_AND_ENTRY, place, says)


def entries_of_readings(step: Step) -> Iterator[Finding]:
    """Each entry that an auditor looked at something has what was looked at."""
    for page in log.pages_of(LOOKS):
        yield from twice(_entries_of_readings, page)
        step(len(page))


def _entries_of_readings(page: list[EntryFacts]) -> Iterator[Finding]:
    looked = [
        entry
        for entry in page
        if entry.reason in Look.values and entry.decision == Decision.PERMITTED
    ]
    found = set(
        Reading.objects.filter(entry__in=[entry.pk for entry in looked]).values_list(
            "entry_id", flat=True
        )
    )
    for entry in looked:
        if entry.pk not in found:
            says = "what was looked at is not there."
            yield Finding(Kind.TEXT_AND_ENTRY, entry.place, says)


def _about(type_: EntryType, resources: Iterable[str]) -> dict[str, EntryFacts]:
    return {entry.resource: entry for entry in log.about({type_}, list(resources))}


def _told_of(
    read: Callable[[list[int]], Iterator[Text]],
) -> Callable[[list[int]], Iterator[Told]]:
    def told(page: list[int]) -> Iterator[Told]:
        for text in read(page):
            yield from _compared(text)

    return told


def _compared(text: Text) -> Iterator[Told]:
    entry = text.entry
    if entry is None:
        yield Finding(Kind.TEXT_AND_ENTRY, text.place, "its entry is not there.")
        return
    if not entry.detail_commit:
        return
    try:
        sealed = opened(entry.pk, entry.nonce, text.by)
    except NotReady:
        yield Locked(text.place, SERVICE)
        return
    except ValueError:
        sealed = None
    if sealed is None or any(text.said.get(name) != value for name, value in sealed.items()):
        says = f"it says something else than what was sealed beside {entry.place}."
        yield Finding(Kind.TEXT_AND_ENTRY, text.place, says)


CHECKS = (
    ("ballots and what was sealed", ballots),
    ("cases and what was sealed", cases),
    ("findings and what was sealed", findings),
    ("reviews and what was sealed", reviews),
    ("looks of auditors and their entries", readings),
    ("entries and looks of auditors", entries_of_readings),
    ("exports and their reasons", exports),
)
