from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.models.sizes import exactly
from common.sensitivity import Sensitivity


class Node(models.Model):
    """One complete subtree of the log above its leaves, known by its hash."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "level": Sensitivity.PUBLIC,
        "index": Sensitivity.PUBLIC,
        "hash": Sensitivity.PUBLIC,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "index"], name="node_stands_once"),
            models.CheckConstraint(
                condition=Q(level__range=(1, 62)), name="node_level_above_the_leaves"
            ),
            models.CheckConstraint(condition=Q(index__gte=0), name="node_index_not_negative"),
            exactly("hash", 32, name="node_hash_32_bytes"),
        ]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class Checkpoint(models.Model):
    """The log signed its head at one size."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "size": Sensitivity.PUBLIC,
        "root": Sensitivity.PUBLIC,
        "note": Sensitivity.PUBLIC,
        "signed_at": Sensitivity.PUBLIC,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=1), name="checkpoint_size_from_one"),
            models.CheckConstraint(condition=~Q(note=""), name="checkpoint_has_a_note"),
            exactly("root", 32, name="checkpoint_root_32_bytes"),
        ]

    def __str__(self) -> str:
        return f"checkpoint {self.size}"
