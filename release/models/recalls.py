"""What recipients are asked to delete, and what they say they did."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models import User
from release.models.releases import Release
from release.vocabulary import Reported, Step


class Recall(models.Model):
    """A recipient is asked to delete what it received of some people in one release.

    `columns` names what is asked back of them; none named means everything of theirs.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.recall_reference)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="recalls")
    columns = models.JSONField(default=list)
    people = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = {
        **dict.fromkeys(
            ["id", "ref", "release", "columns", "opened_at", "due_at", "entry"],
            Sensitivity.INTERNAL,
        ),
        "people": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(people__gt=0), name="recall_is_about_somebody"),
            ordered("opened_at", "due_at", name="recall_due_after_opened"),
        ]
        indexes = [models.Index(fields=["due_at"], name="recall_by_due")]

    def __str__(self) -> str:
        return self.ref


class Recalled(models.Model):
    """That people are among those of one recall: 8,192 neighbouring slots as bits."""

    recall = models.ForeignKey(Recall, on_delete=models.PROTECT, related_name="chunks")
    block = models.IntegerField()
    bits = models.BinaryField(max_length=1024)

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "recall", "block"], Sensitivity.INTERNAL),
        "bits": Sensitivity.PSEUDONYM,
    }

    class Meta:
        verbose_name_plural = "recalled"
        constraints = [
            models.UniqueConstraint(fields=["recall", "block"], name="recalled_chunk_once")
        ]
        indexes = [models.Index(fields=["block", "recall"], name="recalled_by_block")]

    def __str__(self) -> str:
        return f"recalled {self.pk}"


class RecallStep(models.Model):
    """One thing that happened to a recall: received, reported as done, or past its day."""

    recall = models.ForeignKey(Recall, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=16, choices=Step.choices)
    reported = models.CharField(max_length=16, choices=Reported.choices, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "recall", "step", "reported", "at", "by", "entry"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            one_of("step", Step, name="recall_step_known"),
            models.CheckConstraint(
                condition=Q(step=Step.REPORTED, reported__in=Reported.values)
                | (~Q(step=Step.REPORTED) & Q(reported="")),
                name="recall_report_says_what",
            ),
            models.CheckConstraint(
                condition=Q(step=Step.OVERDUE, by__isnull=True)
                | (~Q(step=Step.OVERDUE) & Q(by__isnull=False)),
                name="recall_step_by_whom",
            ),
            models.UniqueConstraint(fields=["recall", "step"], name="recall_step_once"),
        ]

    def __str__(self) -> str:
        return f"recall step {self.pk}"


class RecallWatch(models.Model):
    """How far a release that was picked up has been looked through for people whose yes ended.

    `look_at`: when some yes in it ends by itself, or the agreement does; none: never.
    """

    release = models.OneToOneField(Release, on_delete=models.PROTECT, related_name="recall_watch")
    epoch_everyone = models.BigIntegerField()
    epoch_scope = models.BigIntegerField()
    look_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "release", "epoch_everyone", "epoch_scope", "look_at"], Sensitivity.INTERNAL
    )

    def __str__(self) -> str:
        return f"recall watch {self.pk}"
