"""What auditors found, and what was said to it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models import Organisation, User
from oversight.models.cases import AuditCase
from oversight.vocabulary import Step


class Finding(models.Model):
    """The auditors of one case found something that one organisation has to answer."""

    ref = models.CharField(max_length=32, unique=True, default=ids.finding_reference)
    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="findings")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    # The entry of the log it is about, where it is about one.
    number = models.BigIntegerField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "ref", "case", "organisation", "title", "number"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="finding_has_a_title"),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__gte=0),
                name="finding_number_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class FindingStep(models.Model):
    """One thing that was said about a finding, and how it stands since."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=16, choices=Step)
    text = models.CharField(max_length=2000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "finding", "step", "text", "by", "at", "entry"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            one_of("step", Step, name="finding_step_known"),
            models.CheckConstraint(condition=~Q(text=""), name="finding_step_has_a_text"),
            models.UniqueConstraint(
                fields=["finding"],
                condition=Q(step__in=[Step.OPENED]),
                name="finding_opened_once",
            ),
            models.UniqueConstraint(
                fields=["finding"],
                condition=Q(step__in=[Step.CLOSED]),
                name="finding_closed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"finding step {self.pk}"
