"""What stands for a person in the log where her key could not make it yet, or can make it no more."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common.sensitivity import Sensitivity
from consent.models.people import Subject


class LateTag(models.Model):
    """Something was written about one person while her key was away; a later entry bears her tag."""

    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    # The later entry: what it covers is, among others, her tag under the first one's nonce.
    tagged = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, null=True, related_name="+")

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "entry": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "tagged": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "subject"], name="late_tag_once"),
            models.CheckConstraint(
                condition=Q(tagged__isnull=True) | Q(tagged__gt=F("entry")),
                name="late_tag_in_a_later_entry",
            ),
        ]
        indexes = [
            # What waits for a key: few rows or none, asked for at every tick of the clock.
            models.Index(
                fields=["subject"], condition=Q(tagged__isnull=True), name="late_tag_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"late tag {self.pk}"


class LeftTag(models.Model):
    """What stood for a shredded person in an entry about several: the others' proofs go through it."""

    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    tag = models.BinaryField(max_length=32)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "entry": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "tag": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "subject", "tag"], name="left_tag_once")
        ]

    def __str__(self) -> str:
        return f"left tag {self.pk}"
