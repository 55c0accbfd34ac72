"""Samples of imported yeses that a holder holds against its paper."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of
from common.sensitivity import Sensitivity
from consent.models import Consent
from governance.models import Organisation, User
from oversight.models.cases import AuditCase
from oversight.vocabulary import Paper


class Worksheet(models.Model):
    """A sample of one holder's imported yeses, drawn by a seed that is printed on it."""

    ref = models.CharField(max_length=32, unique=True, default=ids.worksheet_reference)
    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="worksheets")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    seed = models.CharField(max_length=64)
    population = models.PositiveIntegerField()
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "ref", "case", "holder", "seed", "population", "drawn_by", "drawn_at"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(seed=""), name="worksheet_has_a_seed")]

    def __str__(self) -> str:
        return self.ref


class WorksheetLine(models.Model):
    """One yes in one sample."""

    worksheet = models.ForeignKey(Worksheet, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "worksheet", "number"], Sensitivity.INTERNAL),
        "consent": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["worksheet", "number"], name="worksheet_line_number_once"
            ),
            models.UniqueConstraint(
                fields=["worksheet", "consent"], name="worksheet_line_yes_once"
            ),
        ]

    def __str__(self) -> str:
        return f"worksheet line {self.pk}"


class WorksheetCheck(models.Model):
    """The holder held one yes of a sample against its paper, and this is what it found."""

    line = models.OneToOneField(WorksheetLine, on_delete=models.PROTECT, related_name="check_made")
    found = models.CharField(max_length=8, choices=Paper)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "line", "found", "by", "at", "entry"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [one_of("found", Paper, name="worksheet_check_found_known")]

    def __str__(self) -> str:
        return f"worksheet check {self.pk}"
