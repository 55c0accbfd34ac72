"""Readings of datasets, fields, categories and purposes."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet

from governance.models import (
    CategoryField,
    CategoryVersion,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Purpose,
    StandardField,
    User,
)
from governance.rules import ClassificationFact, FieldSpec, Placed, VersionFact, covering
from governance.vocabulary import Care, DatasetState, FieldSensitivity, FieldType, UserKind


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


def placed(columns: Iterable[Field | StandardField]) -> list[Placed]:
    """Where these columns stand today, each with the rules its category is under."""
    return [
        Placed(each.name, FieldSensitivity(each.field_sensitivity), Care(each.category.care))
        for each in columns
    ]


def standing_in(category: DataCategory) -> list[Placed]:
    """Every column of a dataset and of a standard that stands in one category."""
    held = Field.objects.filter(category=category).select_related("category")
    standard = StandardField.objects.filter(category=category).select_related("category")
    return placed([*standard.order_by("pk"), *held.order_by("pk")])


def datasets_with(category: DataCategory) -> list[list[Placed]]:
    """All columns of each dataset that has one in this category."""
    having = Dataset.objects.filter(fields__category=category).distinct().order_by("pk")
    return [placed(fields(each)) for each in having]


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


def covering_versions(fields: Collection[Field]) -> dict[int, frozenset[int]]:
    """For each field (by primary key) the versions of its category in whose yeses it is."""
    versions: dict[int, list[tuple[int, datetime]]] = {}
    for category, version, published_at in (
        CategoryVersion.objects.filter(category__in={field.category_id for field in fields})
        .order_by("number")
        .values_list("category_id", "pk", "published_at")
    ):
        versions.setdefault(category, []).append((version, published_at))
    names = CategoryField.objects.filter(
        version__category__in=versions, name__in={field.name for field in fields}
    )
    holding = set(names.values_list("version_id", "name"))
    history: dict[int, list[ClassificationFact]] = {}
    for pk, category, at in (
        FieldClassification.objects.filter(field__in=fields)
        .order_by("pk")
        .values_list("field_id", "category_id", "classified_at")
    ):
        history.setdefault(pk, []).append(ClassificationFact(category, at))
    return {
        field.pk: covering(
            [
                VersionFact(version, at, (version, field.name) in holding)
                for version, at in versions.get(field.category_id, [])
            ],
            history.get(field.pk, []),
        )
        for field in fields
    }


def purposes() -> QuerySet[Purpose]:
    """What data may be asked for today."""
    return Purpose.objects.filter(paused_at__isnull=True, retired_at__isnull=True).order_by("code")


def standard_fields(standard: str | None = None) -> QuerySet[StandardField]:
    """The published case-data fields as we describe and classify them."""
    found = StandardField.objects.select_related("category").order_by("name")
    return found if standard is None else found.filter(standard=standard)
