"""What a holder was answered when it asked about one of its own clients."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.sensitivity import Sensitivity
from consent.models import Subject
from governance.models import AccessRequest


class Inquiry(models.Model):
    """One holder asked whether one client's record might go out under one request, at one instant.

    Without a subject: the holder's client number led to nobody. `columns` names, by category, what
    might go; `grounds` is for the person alone, more exact than what the holder was told.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.inquiry_reference)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="inquiries")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    permitted = models.BooleanField()
    columns = models.JSONField(default=dict)
    record_until = models.DateField(null=True)
    # Words of `Ground`, with commas between them.
    grounds = models.CharField(max_length=400, blank=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "ref", "request", "at", "entry"], Sensitivity.INTERNAL),
        **dict.fromkeys(
            ["subject", "permitted", "columns", "record_until", "grounds"], Sensitivity.PSEUDONYM
        ),
    }

    class Meta:
        verbose_name_plural = "inquiries"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    permitted=True, subject__isnull=False, record_until__isnull=False, grounds=""
                )
                | (Q(permitted=False, record_until__isnull=True) & ~Q(grounds="")),
                name="inquiry_yes_or_grounds",
            )
        ]

    def __str__(self) -> str:
        return self.ref
