"""Readings of datasets, fields, categories and purposes."""

from django.db.models import QuerySet

from governance.models import (
    CategoryVersion,
    DataCategory,
    Dataset,
    Field,
    Purpose,
    StandardField,
    User,
)
from governance.rules import FieldSpec
from governance.vocabulary import DatasetState, FieldSensitivity, FieldType, UserKind


def datasets(user: User) -> QuerySet[Dataset]:
    """What can be asked for: every dataset in use, for whoever works here. No rows, ever."""
    if user.kind == UserKind.SURVIVOR or not user.is_active:
        return Dataset.objects.none()
    in_use = Dataset.objects.exclude(state=DatasetState.RETIRED)
    return in_use.select_related("holder", "board").order_by("name")


def fields(dataset: Dataset) -> QuerySet[Field]:
    """The columns of one dataset in their order."""
    return Field.objects.filter(dataset=dataset).select_related("category").order_by("position")


def specs(dataset: Dataset) -> dict[str, FieldSpec]:
    """How the columns of one dataset are described today, by name."""
    return {
        field.name: FieldSpec(
            name=field.name,
            type=FieldType(field.type),
            category=field.category.code,
            field_sensitivity=FieldSensitivity(field.field_sensitivity),
            narrative=field.narrative,
        )
        for field in fields(dataset)
    }


def categories() -> QuerySet[DataCategory]:
    """Everything a person can say yes or no to."""
    return DataCategory.objects.order_by("code")


def latest_versions() -> dict[str, CategoryVersion]:
    """The version of each category that a yes given now is a yes to, by code."""
    versions = CategoryVersion.objects.select_related("category").order_by("number")
    return {version.category.code: version for version in versions}


def names(version: CategoryVersion) -> list[str]:
    """The field names one category version holds."""
    return list(version.fields.order_by("name").values_list("name", flat=True))


def purposes() -> QuerySet[Purpose]:
    """What data may be asked for today."""
    return Purpose.objects.filter(paused_at__isnull=True, retired_at__isnull=True).order_by("code")


def standard_fields(standard: str | None = None) -> QuerySet[StandardField]:
    """The published case-data fields as we describe and classify them."""
    found = StandardField.objects.select_related("category").order_by("name")
    return found if standard is None else found.filter(standard=standard)
