"""Long work for an auditor: asked for at the desk, taken away when it is ready; the clock does it."""

from datetime import datetime
from pathlib import Path

from audit import queries as log
from audit.vocabulary import Via
from common.errors import RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from governance.models import User
from oversight.actions import looking
from oversight.models import AuditCase, Job
from oversight.queries import jobs
from oversight.vocabulary import Format, JobKind, JobState, Look


@taking(first=jobs.NUMBER, last=jobs.NUMBER)
def ask_verification(
    *,
    case: AuditCase,
    by: User,
    at: datetime,
    via: Via,
    first: int | None = None,
    last: int | None = None,
) -> Job:
    """Have the whole log computed anew; or, where `first` or `last` is given, these entries and on to
    the signed head over them. Raises as `looking.find` does; BadInput for entries the log has not."""
    if first is None and last is None:
        kind, chosen, asked = JobKind.VERIFY, range(log.log_size()), {}
    else:
        kind, chosen = JobKind.RANGE, jobs.chosen(first, last)
        asked = {"first": str(chosen.start), "last": str(chosen.stop - 1)}
    looking.note(case=case, look=Look.VERIFY, asked=asked, by=by, at=at, via=via)
    return Job.objects.create(
        case=case,
        kind=kind,
        asked_by=by,
        asked_at=at,
        first=chosen.start,
        total=chosen.stop,
    )


@taking(
    reason=of(Job, "reason", least=1, lines=True, name=_("Reason")),
    first=jobs.NUMBER,
    last=jobs.NUMBER,
)
def ask_export(
    *,
    case: AuditCase,
    format: Format,
    reason: str,
    first: int | None,
    last: int | None,
    by: User,
    at: datetime,
    via: Via,
) -> Job:
    """Have entries written into files, to be taken away within a day. Raises as `looking.find` does;
    BadInput for entries the log has not."""
    chosen = jobs.chosen(first, last)
    asked = {"first": str(chosen.start), "last": str(chosen.stop - 1), "format": str(format)}
    asked["reason"] = reason
    looking.note(case=case, look=Look.EXPORT, asked=asked, by=by, at=at, via=via)
    return Job.objects.create(
        case=case,
        kind=JobKind.EXPORT,
        asked_by=by,
        asked_at=at,
        reason=reason,
        format=format,
        first=chosen.start,
        total=chosen.stop,
    )


@taking(name=Text(most=40))
def take(*, job: Job, name: str, by: User, at: datetime, via: Via) -> Path:
    """One file of an export that is ready. Raises as `looking.find` does; RuleBroken where it is not."""
    if job.state != JobState.DONE or name not in jobs.names(job):
        raise RuleBroken("not_ready_yet", _("These files are not here, or not any more."))
    asked = {"export": job.ref, "file": name}
    looking.note(case=job.case, look=Look.TAKEN, asked=asked, by=by, at=at, via=via)
    return jobs.folder(job) / name
