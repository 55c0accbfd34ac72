"""What was answered to a machine's deed, for as long as the machine may ask for the same again."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.sensitivity import Sensitivity
from governance.models.people import Organisation, User


class KeptAnswer(models.Model):
    """One deed of one machine, the key it was sent with, and what was answered."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    # Its own text: a database that reads JSON puts the names of an object in another order.
    body = models.TextField(default="{}")
    headers = models.JSONField(default=dict)
    kept_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "user",
            "organisation",
            "key",
            "fingerprint",
            "status",
            "body",
            "headers",
            "kept_at",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "key"], name="kept_answer_key_once"
            ),
            models.CheckConstraint(
                condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"),
                name="kept_answer_fingerprint_is_sha256",
            ),
        ]
        indexes = [models.Index(fields=["kept_at"], name="kept_answer_by_age")]

    def __str__(self) -> str:
        return f"kept answer {self.pk}"
