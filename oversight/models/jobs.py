"""Long work that the clock does for an auditor."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models import User
from oversight.models.cases import AuditCase
from oversight.vocabulary import Format, JobKind, JobState


class Job(models.Model):
    """An auditor had the log or some of it verified, or entries exported: how far that is, and its end."""

    ref = models.CharField(max_length=32, unique=True, default=ids.job_reference)
    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=8, choices=JobKind)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=1000, blank=True)
    format = models.CharField(max_length=8, choices=Format, blank=True)
    first = models.BigIntegerField(default=0)
    # How many entries there are to do, and up to which all is done, with the head of the log there.
    total = models.BigIntegerField()
    done = models.BigIntegerField(default=0)
    root = models.BinaryField(default=b"")
    state = models.CharField(max_length=8, choices=JobState, default=JobState.WAITING)
    # Which hand of the clock is at it, until when.
    taken_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=64, blank=True)
    told = models.CharField(max_length=300, blank=True)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id", "ref", "case", "kind", "asked_by", "asked_at", "reason", "format", "first",
            "total", "done", "root", "state", "taken_until", "ended_at", "code", "told",
        ],
        Sensitivity.INTERNAL,
    )  # fmt: skip

    class Meta:
        constraints = [
            one_of("kind", JobKind, name="job_kind_known"),
            one_of("state", JobState, name="job_state_known"),
            models.CheckConstraint(
                condition=Q(format__in=["", *Format.values]), name="job_format_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind=JobKind.EXPORT) | ~Q(reason="", format=""),
                name="job_export_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=JobState.WAITING, ended_at__isnull=True)
                | (~Q(state=JobState.WAITING) & Q(ended_at__isnull=False)),
                name="job_end_has_a_time",
            ),
        ]
        indexes = [
            # What waits for the clock: few rows, read at every tick.
            models.Index(fields=["asked_at"], condition=Q(state=JobState.WAITING), name="job_queue")
        ]

    def __str__(self) -> str:
        return self.ref
