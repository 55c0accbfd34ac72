"""People as one organisation knows them: a slot, never a name."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.sensitivity import Sensitivity
from governance.models import Organisation, User


class SlotBlock(models.Model):
    """8,192 neighbouring slots that belong to one holder, so that uses fit in small bit chunks."""

    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    taken = models.PositiveIntegerField(default=0)

    sensitivity: ClassVar = dict.fromkeys(["id", "holder", "taken"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken__gte=0, taken__lte=8192), name="slot_block_not_overfull"
            )
        ]

    def __str__(self) -> str:
        return f"slot block {self.pk}"


class Subject(models.Model):
    """One person as one organisation knows them; an opaque random slot."""

    slot = models.IntegerField(primary_key=True)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="subjects")
    # The person's own random key, wrapped by the holder's key from the key ring.
    wrapped_key = models.BinaryField(max_length=64)
    enrolled_at = models.DateTimeField()
    # Her key is destroyed: the slot stays taken and leads to nobody.
    shredded_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "slot": Sensitivity.PSEUDONYM,
        "holder": Sensitivity.INTERNAL,
        "account": Sensitivity.PERSONAL,
        "wrapped_key": Sensitivity.SECRET,
        "enrolled_at": Sensitivity.PERSONAL,
        "shredded_at": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(slot__gte=0), name="subject_slot_positive"),
            models.CheckConstraint(
                condition=Q(shredded_at__isnull=True) | Q(account__isnull=True, wrapped_key=b""),
                name="subject_shredded_keeps_nothing",
            ),
        ]

    def __str__(self) -> str:
        return "a person"


class SubjectKey(models.Model):
    """How one organisation's own client number leads to the person: a keyed digest."""

    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=32)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="keys")

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "holder": Sensitivity.INTERNAL,
        "digest": Sensitivity.PSEUDONYM,
        "subject": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "digest"], name="subject_key_once")
        ]

    def __str__(self) -> str:
        return f"subject key {self.pk}"
