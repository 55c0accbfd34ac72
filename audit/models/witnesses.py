from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.models.sizes import at_most, exactly
from audit.vocabulary import WitnessTrouble
from common.constraints import one_of
from common.sensitivity import Sensitivity

LARGEST_ANSWER = 4096


class Cosignature(models.Model):
    """A witness signed one head of the log."""

    size = models.BigIntegerField()
    name = models.CharField(max_length=200)
    key_id = models.BinaryField()
    signature = models.BinaryField()
    received_at = models.DateTimeField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "size": Sensitivity.PUBLIC,
        "name": Sensitivity.PUBLIC,
        "key_id": Sensitivity.PUBLIC,
        "signature": Sensitivity.PUBLIC,
        "received_at": Sensitivity.PUBLIC,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["size", "name", "key_id"], name="cosignature_once_a_head"
            ),
            models.CheckConstraint(condition=Q(size__gte=1), name="cosignature_size_from_one"),
            models.CheckConstraint(condition=~Q(name=""), name="cosignature_has_a_name"),
            exactly("key_id", 4, name="cosignature_key_id_4_bytes"),
            at_most("signature", LARGEST_ANSWER, name="cosignature_at_most_4096_bytes"),
        ]

    def __str__(self) -> str:
        return f"cosignature {self.pk}"


class WitnessState(models.Model):
    """How far one witness has followed the log, and when it is asked next."""

    name = models.CharField(max_length=200, unique=True)
    size = models.BigIntegerField(default=0)
    trouble = models.CharField(max_length=20, choices=WitnessTrouble, default=WitnessTrouble.WELL)
    failures = models.PositiveIntegerField(default=0)
    signed_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "name": Sensitivity.PUBLIC,
        "size": Sensitivity.PUBLIC,
        "trouble": Sensitivity.INTERNAL,
        "failures": Sensitivity.INTERNAL,
        "signed_at": Sensitivity.PUBLIC,
        "next_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="witness_state_has_a_name"),
            models.CheckConstraint(
                condition=Q(size__gte=0), name="witness_state_size_not_negative"
            ),
            one_of("trouble", WitnessTrouble, name="witness_state_trouble_is_a_word"),
        ]

    def __str__(self) -> str:
        return f"witness state {self.pk}"


class WitnessFault(models.Model):
    """A witness gave an answer that cannot be true, or that cannot be true of our log."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=WitnessTrouble)
    size = models.BigIntegerField()
    at = models.DateTimeField()
    answer = models.BinaryField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "name": Sensitivity.PUBLIC,
        "kind": Sensitivity.INTERNAL,
        "size": Sensitivity.PUBLIC,
        "at": Sensitivity.INTERNAL,
        "answer": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="witness_fault_has_a_name"),
            models.CheckConstraint(
                condition=Q(size__gte=0), name="witness_fault_size_not_negative"
            ),
            one_of("kind", WitnessTrouble, name="witness_fault_kind_is_a_word"),
            at_most("answer", LARGEST_ANSWER, name="witness_fault_answer_at_most_4096_bytes"),
        ]

    def __str__(self) -> str:
        return f"witness fault {self.pk}"
