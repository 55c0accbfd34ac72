"""Rows of audit cases, and of what is read, found and checked for them."""

from typing import Any

from oversight import models as o
from tests.factories.audit import entry
from tests.factories.consent import consent, subject
from tests.factories.governance import START, membership, numbers, organisation, user


def audit_case(**given: Any) -> o.AuditCase:
    return o.AuditCase.objects.create(
        **{
            "organisation": given.get("organisation") or organisation(kind="community"),
            "title": "A complaint",
            "reason": "Somebody complained.",
            "opened_by": given.get("opened_by") or user(),
            "opened_at": START,
            **given,
        }
    )


def case_handle(**given: Any) -> o.CaseHandle:
    return o.CaseHandle.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "subject": given.get("subject") or subject(),
            "word": f"hdl-{next(numbers)}",
            "issued_by": given.get("issued_by") or user(),
            "issued_at": START,
            "entry": given.get("entry") or entry(type="handle:issued"),
            **given,
        }
    )


def reading(**given: Any) -> o.Reading:
    return o.Reading.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "look": "search",
            "asked": {"type": "log:read"},
            "by": given.get("by") or user(),
            "at": START,
            "entry": given.get("entry") or entry(type="log:searched"),
            **given,
        }
    )


def saved_search(**given: Any) -> o.SavedSearch:
    return o.SavedSearch.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "name": f"search {next(numbers)}",
            "asked": {"type": "log:read"},
            "saved_by": given.get("saved_by") or user(),
            "saved_at": START,
            **given,
        }
    )


def finding(**given: Any) -> o.Finding:
    return o.Finding.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "organisation": given.get("organisation") or organisation(),
            "title": "A role is idle",
            **given,
        }
    )


def finding_step(**given: Any) -> o.FindingStep:
    return o.FindingStep.objects.create(
        **{
            "finding": given.get("finding") or finding(),
            "step": "opened",
            "text": "Why?",
            "by": given.get("by") or user(),
            "at": START,
            "entry": given.get("entry") or entry(type="finding:opened"),
            **given,
        }
    )


def job(**given: Any) -> o.Job:
    return o.Job.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "kind": "verify",
            "asked_by": given.get("asked_by") or user(),
            "asked_at": START,
            "total": 3,
            **given,
        }
    )


def ended_job(**given: Any) -> o.Job:
    return job(**{"state": "done", "ended_at": START, "done": 3, **given})


def membership_review(**given: Any) -> o.MembershipReview:
    return o.MembershipReview.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "membership": given.get("membership") or membership(),
            "verdict": "keep",
            "reason": "It is needed.",
            "by": given.get("by") or user(),
            "at": START,
            "entry": given.get("entry") or entry(type="membership:reviewed"),
            **given,
        }
    )


def worksheet(**given: Any) -> o.Worksheet:
    return o.Worksheet.objects.create(
        **{
            "case": given.get("case") or audit_case(),
            "holder": given.get("holder") or organisation(),
            "seed": "00ff",
            "population": 5,
            "drawn_by": given.get("drawn_by") or user(),
            "drawn_at": START,
            **given,
        }
    )


def worksheet_line(**given: Any) -> o.WorksheetLine:
    return o.WorksheetLine.objects.create(
        **{
            "worksheet": given.get("worksheet") or worksheet(),
            "number": next(numbers),
            "consent": given.get("consent") or consent(),
            **given,
        }
    )


def worksheet_check(**given: Any) -> o.WorksheetCheck:
    return o.WorksheetCheck.objects.create(
        **{
            "line": given.get("line") or worksheet_line(),
            "found": "agrees",
            "by": given.get("by") or user(),
            "at": START,
            "entry": given.get("entry") or entry(type="worksheet:checked"),
            **given,
        }
    )
