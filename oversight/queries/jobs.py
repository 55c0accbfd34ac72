"""What auditors asked the clock to do."""

from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from audit import queries as log
from common.errors import BadInput
from common.inputs import Number
from common.words import sentence as _
from oversight.models import AuditCase, Job
from oversight.vocabulary import JobKind, JobState

FOLDER = "exports"
MANIFEST = "manifest.json"
NUMBER = Number(least=0, name=_("Entry"))


def waiting() -> QuerySet[Job]:
    """What waits for the clock, the oldest first."""
    found = Job.objects.filter(state=JobState.WAITING)
    return found.select_related("case", "asked_by").order_by("asked_at")


def of_case(case: AuditCase, *kinds: JobKind) -> QuerySet[Job]:
    """What of these kinds was asked for in one case, the latest first."""
    return case.jobs.filter(kind__in=kinds).select_related("asked_by").order_by("-pk")


def names(job: Job) -> list[str]:
    """The files of an export."""
    return [f"entries.{job.format}", MANIFEST] if job.kind == JobKind.EXPORT else []


def folder(job: Job) -> Path:
    """Where they lie."""
    return Path(settings.SAYSO_DATA) / FOLDER / job.ref


def chosen(first: int | None, last: int | None) -> range:
    """The numbers of these entries (default: all that are signed); BadInput where there are none."""
    size = log.log_size()
    found = range(first or 0, size if last is None else last + 1)
    if not found or found.stop > size:
        raise BadInput(
            "no_such_entries",
            _(
                "The log has %(size)s signed entries; choose among them, the first one first.",
                size=size,
            ),
            where="first",
        )
    return found
