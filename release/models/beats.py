"""That the clock goes."""

from typing import ClassVar

from django.db import models

from common.sensitivity import Sensitivity


class Beat(models.Model):
    """One worker of the clock was alive at this moment."""

    worker = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(["id", "worker", "at"], Sensitivity.INTERNAL)

    def __str__(self) -> str:
        return f"beat {self.pk}"
