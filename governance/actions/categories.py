"""A data category is published anew whenever it gains or loses a field name."""

from collections.abc import Collection
from datetime import datetime

from audit.vocabulary import EntryType, Via
from governance.actions import trail
from governance.models import (
    CategoryField,
    CategoryVersion,
    DataCategory,
    Field,
    StandardField,
    User,
)


def publish(
    *,
    categories: Collection[int],
    by: User,
    at: datetime,
    via: Via,
    anew: Collection[int] = (),
) -> list[CategoryVersion]:
    """A next version of each of these categories whose names have changed; within the deed's own
    transaction. A yes to an earlier version covers none of the names that came later.

    Those in `anew` have a next version though their names stay: a field came whose name was there.
    """
    published = []
    for category in (
        DataCategory.objects.select_for_update().filter(pk__in=categories).order_by("pk")
    ):
        names = _names_today(category)
        latest = category.versions.order_by("-number").first()
        if latest is not None and names == _names_of(latest) and category.pk not in anew:
            continue
        version = CategoryVersion.objects.create(
            category=category, number=1 if latest is None else latest.number + 1, published_at=at
        )
        CategoryField.objects.bulk_create(
            CategoryField(version=version, name=name) for name in sorted(names)
        )
        trail.record(
            type=EntryType.CATEGORY_VERSIONED,
            by=by,
            at=at,
            via=via,
            resource=f"{category.code}/{version.number}",
        )
        published.append(version)
    return published


def _names_today(category: DataCategory) -> set[str]:
    standard = StandardField.objects.filter(category=category).values_list("name", flat=True)
    held = Field.objects.filter(category=category).values_list("name", flat=True)
    return {*standard, *held}


def _names_of(version: CategoryVersion) -> set[str]:
    return set(version.fields.values_list("name", flat=True))
