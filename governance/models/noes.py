"""What the file of noes must hold."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.sensitivity import Sensitivity
from governance.vocabulary import Closing, Narrowing


class KeptNo(models.Model):
    """One no or one way in that ended, with what is needed to say it again where a restored database has forgotten it."""

    mark = models.BinaryField(max_length=16, unique=True)
    act = models.CharField(max_length=32, choices=[*Narrowing.choices, *Closing.choices])
    said_at = models.DateTimeField()
    facts = models.BinaryField()
    # The file of noes in which it stands; empty until that is known.
    filed_in = models.CharField(max_length=32, blank=True, default="")

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "mark": Sensitivity.INTERNAL,
        "act": Sensitivity.INTERNAL,
        "said_at": Sensitivity.INTERNAL,
        "facts": Sensitivity.PERSONAL,
        "filed_in": Sensitivity.INTERNAL,
    }

    class Meta:
        verbose_name_plural = "kept noes"
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=[*Narrowing.values, *Closing.values]), name="kept_no_act_known"
            )
        ]
        indexes = [models.Index(fields=["filed_in", "id"], name="kept_no_filed_in")]

    def __str__(self) -> str:
        return f"kept no {self.pk}"
