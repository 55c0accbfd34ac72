"""What an auditor's words mean in the log: an organisation's people, a dataset's papers, a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from audit.queries.search import Group, Sought
from common.days import day_of
from consent.models import ConsentEvent, Objection
from consent.queries.keys import tag_of
from governance.models import (
    AccessRequest,
    AgreementDataset,
    Dataset,
    Membership,
    Organisation,
)
from oversight.models import AuditCase, CaseHandle
from oversight.rules import handles
from oversight.vocabulary import Wanted
from release.models import Inquiry, Release
from release.queries import uses

DAYS = ("since", "until")


@dataclass(frozen=True)
class Said:
    """What one person said, without number or time: those would lead to her in another case."""

    day: date
    what: str
    recipient: Organisation | None


def asked(wanted: Wanted) -> dict[str, str]:
    """The question as it is kept and shown: what was asked about, and nothing that was not."""
    found = {}
    for name, value in vars(wanted).items():
        if value:
            found[name] = value.isoformat(timespec="minutes") if name in DAYS else str(value)
    return found


def sought(case: AuditCase, wanted: Wanted) -> Sought:
    """Raises NotReady where the key of the holder is away whose client a handle is for."""
    groups = []
    if wanted.organisation:
        groups.append(_of_organisation(wanted.organisation))
    if wanted.dataset:
        groups.append(_of_dataset(wanted.dataset))
    if wanted.handle:
        groups.append(_of_person(case, wanted.handle))
    return Sought(
        groups=tuple(groups),
        actor=wanted.actor,
        purpose=wanted.purpose,
        type=wanted.type,
        decision=wanted.decision,
        reason=wanted.reason,
        since=wanted.since,
        until=wanted.until,
    )


def person(case: AuditCase, word: str) -> CaseHandle | None:
    """The handle of this case; None for a word of another one, and where her key is another now."""
    found = (
        CaseHandle.objects.select_related("subject__holder").filter(case=case, word=word).first()
    )
    if found is None:
        return None
    return found if handles.word(tag_of(found.subject, bytes(case.nonce))) == word else None


def said(case: AuditCase, word: str) -> list[Said]:
    """What the person of this handle said, the latest first."""
    handle = person(case, word)
    if handle is None:
        return []
    events = ConsentEvent.objects.filter(consent__subject=handle.subject_id)
    objections = Objection.objects.filter(subject=handle.subject_id).select_related("recipient")
    rows = [
        Said(day_of(each.at), f"consent:{each.happening}", each.consent.recipient)
        for each in events.select_related("consent__recipient")
    ]
    for each in objections:
        rows.append(Said(day_of(each.made_at), "objection:made", each.recipient))
        if each.lifted_at is not None:
            rows.append(Said(day_of(each.lifted_at), "objection:lifted", each.recipient))
    return sorted(rows, key=lambda row: (row.day, row.what), reverse=True)


def releases_of(case: AuditCase, since: datetime) -> dict[str, int]:
    """For each handle of the case: in how many packages since then its person was."""
    found: dict[str, int] = {}
    for each in case.handles.select_related("subject__holder"):
        if person(case, each.word) is not None:
            mine = uses.of_subject(each.subject)
            found[each.word] = sum(use.sent and use.at >= since for use in mine)
    return found


def _of_organisation(ref: str) -> Group:
    """What its people and machines did, whenever they were there, and what was about itself."""
    people = Membership.objects.filter(organisation__ref=ref).values_list("user__ref", flat=True)
    return Group(frozenset(people.distinct()), frozenset({ref}))


def _of_dataset(ref: str) -> Group:
    found = Dataset.objects.filter(ref=ref).first()
    if found is None:
        return Group()
    papers: list[Any] = [
        AccessRequest.objects.filter(dataset=found).values_list("ref", flat=True),
        Release.objects.filter(request__dataset=found).values_list("ref", flat=True),
        AgreementDataset.objects.filter(dataset=found).values_list("agreement__ref", flat=True),
        found.versions.values_list("ref", flat=True),
    ]
    return Group(frozenset(), frozenset({ref, *(one for several in papers for one in several)}))


def _of_person(case: AuditCase, word: str) -> Group:
    """The answers that her record was in or was kept back from; a word of nobody finds nothing."""
    handle = person(case, word)
    if handle is None:
        return Group()
    releases = {use.release.ref for use in uses.of_subject(handle.subject)}
    inquiries = Inquiry.objects.filter(subject=handle.subject_id).values_list("ref", flat=True)
    return Group(frozenset(), frozenset(releases | set(inquiries)))
