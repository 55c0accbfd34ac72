"""Loaded versions of datasets and their sealed parts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.sensitivity import Sensitivity
from governance.models import Dataset, Field, User


class DatasetVersion(models.Model):
    """One loaded version of a dataset; never changed, only followed by the next."""

    ref = models.CharField(max_length=32, unique=True, default=ids.version_reference)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    source_sha256 = models.CharField(max_length=64)
    mapping_sha256 = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    rejected = models.BigIntegerField()
    people = models.BigIntegerField()
    # How many people one row can name: the width of the slot columns.
    people_per_row = models.PositiveIntegerField(default=1)
    loaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "ref",
            "dataset",
            "number",
            "source_sha256",
            "mapping_sha256",
            "rows",
            "rejected",
            "people",
            "people_per_row",
            "loaded_by",
            "loaded_at",
            "entry",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_number"),
            models.CheckConstraint(
                condition=Q(rows__gte=0, rejected__gte=0, people__gte=0, people_per_row__gte=1),
                name="dataset_version_counts",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class VersionColumn(models.Model):
    """One column that one loaded version holds."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="columns")
    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "version", "field"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "field"], name="version_column_once")
        ]

    def __str__(self) -> str:
        return f"version column {self.pk}"


class StoredPart(models.Model):
    """One sealed Parquet part of one version: whole people only, sorted by person."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200, unique=True)
    rows = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "version", "number", "name", "rows", "size", "sha256"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="stored_part_number_once")
        ]

    def __str__(self) -> str:
        return f"stored part {self.pk}"


class Resealing(models.Model):
    """One stored part was sealed anew, to a newer key of its holder; the rows are the same."""

    part = models.ForeignKey(StoredPart, on_delete=models.PROTECT, related_name="resealings")
    name = models.CharField(max_length=200, unique=True)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed_to = models.CharField(max_length=80)
    sealed_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "part", "name", "size", "sha256", "sealed_to", "sealed_at"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["part", "sealed_to"], name="resealing_once_a_key")
        ]

    def __str__(self) -> str:
        return f"resealing {self.pk}"


class Presence(models.Model):
    """Who is in one version: 8,192 neighbouring slots as bits."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="presence")
    block = models.IntegerField()
    bits = models.BinaryField(max_length=1024)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "version": Sensitivity.INTERNAL,
        "block": Sensitivity.INTERNAL,
        "bits": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "block"], name="presence_block_once")
        ]
        indexes = [models.Index(fields=["block"], name="presence_by_block")]

    def __str__(self) -> str:
        return f"presence {self.pk}"
