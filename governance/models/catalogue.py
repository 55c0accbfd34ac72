"""Datasets, their fields, the categories people say yes to, and what data is wanted for."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models.people import Organisation, User
from governance.vocabulary import Care, DatasetState, FieldSensitivity, FieldType, PurposeKind


class DataCategory(models.Model):
    """A named group of fields a person can say yes or no to."""

    code = models.SlugField(max_length=40, unique=True)
    label_en = models.CharField(max_length=80)
    label_es = models.CharField(max_length=80)
    description_en = models.CharField(max_length=300)
    description_es = models.CharField(max_length=300)
    # Set when the category is made; later only `governance.actions.cares.restrict` changes it.
    care = models.CharField(max_length=16, choices=Care.choices, default=Care.ORDINARY)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "code", "label_en", "label_es", "description_en", "description_es", "care"],
        Sensitivity.PUBLIC,
    )

    class Meta:
        ordering = ["code"]
        constraints = [one_of("care", Care, name="category_care_known")]

    def __str__(self) -> str:
        return f"data category {self.pk}"


class CategoryVersion(models.Model):
    """The fields one category held from one day on; never changed, only followed by the next."""

    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "category", "number", "published_at"], Sensitivity.PUBLIC
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "number"], name="category_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="category_version_from_one"),
        ]

    def __str__(self) -> str:
        return f"category version {self.pk}"


class CategoryField(models.Model):
    """One field name that one category version holds."""

    version = models.ForeignKey(CategoryVersion, on_delete=models.PROTECT, related_name="fields")
    name = models.CharField(max_length=80)

    sensitivity: ClassVar = dict.fromkeys(["id", "version", "name"], Sensitivity.PUBLIC)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="category_field_once")
        ]

    def __str__(self) -> str:
        return f"category field {self.pk}"


class StandardField(models.Model):
    """One field of a published case-data standard, described and classified by us."""

    standard = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    section = models.CharField(max_length=80)
    core = models.BooleanField()
    deprecated = models.BooleanField()
    type = models.CharField(max_length=24)
    values = models.JSONField(default=list)
    code_list = models.CharField(max_length=80, blank=True)
    description = models.CharField(max_length=300)
    field_sensitivity = models.CharField(max_length=16, choices=FieldSensitivity.choices)
    narrative = models.BooleanField(default=False)
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "standard",
            "name",
            "section",
            "core",
            "deprecated",
            "type",
            "values",
            "code_list",
            "description",
            "field_sensitivity",
            "narrative",
            "category",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["standard", "name"], name="standard_field_once"),
            one_of("field_sensitivity", FieldSensitivity, name="standard_field_sensitivity"),
        ]

    def __str__(self) -> str:
        return f"standard field {self.pk}"


class Purpose(models.Model):
    """What data is wanted for."""

    code = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=16, choices=PurposeKind.choices)
    dpv = models.CharField(max_length=80)
    label_en = models.CharField(max_length=80)
    label_es = models.CharField(max_length=80)
    description_en = models.CharField(max_length=300)
    description_es = models.CharField(max_length=300)
    longest_days = models.PositiveIntegerField()
    paused_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "code",
            "kind",
            "dpv",
            "label_en",
            "label_es",
            "description_en",
            "description_es",
            "longest_days",
            "paused_at",
            "retired_at",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            one_of("kind", PurposeKind, name="purpose_kind_known"),
            models.CheckConstraint(
                condition=Q(longest_days__gte=1, longest_days__lte=731),
                name="purpose_longest_days_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"purpose {self.pk}"


class Dataset(models.Model):
    """What one organisation holds."""

    ref = models.CharField(max_length=32, unique=True, default=ids.dataset_reference)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="datasets")
    board = models.ForeignKey("governance.Board", on_delete=models.PROTECT, related_name="datasets")
    name = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    state = models.CharField(
        max_length=16, choices=DatasetState.choices, default=DatasetState.ACTIVE
    )
    created_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "ref", "holder", "board", "name", "title", "state", "created_at"],
        Sensitivity.PUBLIC,
    )

    class Meta:
        constraints = [one_of("state", DatasetState, name="dataset_state_known")]

    def __str__(self) -> str:
        return self.ref


class Field(models.Model):
    """One column of one dataset, in the category and sensitivity it has today."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="fields")
    name = models.CharField(max_length=80)
    type = models.CharField(max_length=16, choices=FieldType.choices)
    position = models.PositiveIntegerField()
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")
    field_sensitivity = models.CharField(max_length=16, choices=FieldSensitivity.choices)
    narrative = models.BooleanField(default=False)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "dataset",
            "name",
            "type",
            "position",
            "category",
            "field_sensitivity",
            "narrative",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "name"], name="field_name_once"),
            models.UniqueConstraint(fields=["dataset", "position"], name="field_position_once"),
            one_of("type", FieldType, name="field_type_known"),
            one_of("field_sensitivity", FieldSensitivity, name="field_sensitivity_known"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[A-Za-z][A-Za-z0-9_]{0,79}$"), name="field_name_plain"
            ),
        ]

    def __str__(self) -> str:
        return f"field {self.pk}"


class FieldClassification(models.Model):
    """One decision on where a field belongs and how sensitive it is; the latest one holds."""

    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="classifications")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")
    field_sensitivity = models.CharField(max_length=16, choices=FieldSensitivity.choices)
    narrative = models.BooleanField(default=False)
    classified_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    classified_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "field",
            "category",
            "field_sensitivity",
            "narrative",
            "classified_by",
            "classified_at",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("field_sensitivity", FieldSensitivity, name="classification_sensitivity")
        ]

    def __str__(self) -> str:
        return f"field classification {self.pk}"
