"""What the clock does for an auditor: verifying the log by and by, writing entries out of it."""

import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audit import queries as log
from audit.queries.tampered import Tampered
from audit.queries.verification import Verdict, verify, verify_range
from audit.tlog.checkpoints import Checkpoint as Head
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted
from common.words import told
from governance.actions import trail
from oversight.actions import exports
from oversight.models import Job
from oversight.queries import jobs
from oversight.vocabulary import Format, JobKind, JobState

SLICE = 2.0  # seconds of one round that a verification may take; then the clock goes on
TAKEN = timedelta(minutes=15)
KEPT = timedelta(days=1)
HOLDS, DIFFERS = "holds", "differs"


def run(*, job: Job, at: datetime) -> Job:
    """Called by the clock: go on with it for a while. Raises NotReady where it cannot be done now.

    A verification goes on where the last round ended; calling twice is harmless.
    """
    free = Q(taken_until__isnull=True) | Q(taken_until__lte=at)
    mine = Job.objects.filter(free, pk=job.pk, state=JobState.WAITING).update(
        taken_until=at + TAKEN
    )
    if not mine:
        return job
    try:
        if job.kind == JobKind.EXPORT:
            _export(job, at)
        else:
            _verify(job, at)
    finally:
        Job.objects.filter(pk=job.pk, state=JobState.WAITING).update(taken_until=None)
    job.refresh_from_db()
    return job


def wipe(*, at: datetime) -> int:
    """Called by the clock: the files of exports that have lain for a day are deleted."""
    due = Job.objects.filter(
        kind=JobKind.EXPORT, state=JobState.DONE, ended_at__lte=at - KEPT
    ).order_by("pk")
    count = 0
    for job in due:
        shutil.rmtree(jobs.folder(job), ignore_errors=True)
        count += Job.objects.filter(pk=job.pk, state=JobState.DONE).update(state=JobState.GONE)
    return count


class _EnoughError(Exception):
    """This round has lasted long enough."""


def _verify(job: Job, at: datetime) -> None:
    began = time.monotonic()

    def keep(head: Head) -> None:
        Job.objects.filter(pk=job.pk).update(done=head.size, root=head.root)
        if time.monotonic() - began >= SLICE:
            raise _EnoughError

    known = Head(settings.LOG_ORIGIN, job.done, bytes(job.root)) if job.done else None
    try:
        head = _found(job, known, keep)
    except _EnoughError:
        return
    except Tampered as wrong:
        _end(job, JobState.FAILED, at, reason=DIFFERS, code="tampered", told=str(wrong))
    else:
        Job.objects.filter(pk=job.pk).update(done=head.size, root=head.root)
        _end(job, JobState.DONE, at, reason=HOLDS)


def _found(job: Job, known: Head | None, keep: Callable[[Head], None]) -> Verdict | Head:
    """The head of what holds: of the whole log, or of some entries and what is signed over them."""
    verifiers = log.log_verifiers()
    if job.kind == JobKind.RANGE:
        return verify_range(
            origin=settings.LOG_ORIGIN,
            verifiers=verifiers,
            first=job.first,
            last=job.total,
            after=known,
            passed=keep,
        )
    return verify(
        origin=settings.LOG_ORIGIN,
        verifiers=verifiers,
        cosigners=[each.cosigner for each in settings.WITNESSES.witnesses.values()],
        after=known,
        passed=keep,
    )


def _export(job: Job, at: datetime) -> None:
    place = jobs.folder(job)
    for left in (place, place.with_name(f"{place.name}.part")):
        shutil.rmtree(left, ignore_errors=True)  # a round that broke off left it
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        exports.export(
            folder=place,
            format=Format(job.format),
            reason=job.reason,
            first=job.first,
            last=job.total - 1,
            by=job.asked_by,
            at=at,
            via=Via.TASK,
            progress=lambda done, total: _progress(job, done),
        )
    except (BadInput, NotPermitted) as refusal:
        _end(job, JobState.FAILED, at, code=refusal.code, told=told(refusal.message))
    else:
        _end(job, JobState.DONE, at)


def _progress(job: Job, done: int) -> None:
    Job.objects.filter(pk=job.pk).update(done=job.first + done)


@transaction.atomic
def _end(
    job: Job, state: JobState, at: datetime, *, reason: str = "", code: str = "", told: str = ""
) -> None:
    """A verification says in the log what came of it; an export has its own entry already."""
    if job.kind != JobKind.EXPORT:
        trail.record(
            type=EntryType.LOG_VERIFIED,
            by=None,
            at=at,
            via=Via.TASK,
            resource=job.ref,
            reason=reason,
        )
    Job.objects.filter(pk=job.pk, state=JobState.WAITING).update(
        state=state, ended_at=at, code=code, told=told[:300], taken_until=None
    )
