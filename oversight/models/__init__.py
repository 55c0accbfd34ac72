from oversight.models.cases import AuditCase, CaseHandle, Reading, SavedSearch
from oversight.models.findings import Finding, FindingStep
from oversight.models.jobs import Job
from oversight.models.reviews import MembershipReview
from oversight.models.worksheets import Worksheet, WorksheetCheck, WorksheetLine

__all__ = [
    "AuditCase",
    "CaseHandle",
    "Finding",
    "FindingStep",
    "Job",
    "MembershipReview",
    "Reading",
    "SavedSearch",
    "Worksheet",
    "WorksheetCheck",
    "WorksheetLine",
]
