"""What a person does not want to see on her own pages."""

from typing import ClassVar

from django.db import models

from common import ids
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from governance.models import Organisation


class Hidden(models.Model):
    """One person does not want one recipient to be seen on her pages, until she shows it again."""

    ref = models.CharField(max_length=32, unique=True, default=ids.hidden_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="hidden")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    hidden_at = models.DateTimeField()

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(["recipient", "hidden_at"], Sensitivity.PERSONAL),
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "recipient"], name="hidden_once")]

    def __str__(self) -> str:
        return self.ref
