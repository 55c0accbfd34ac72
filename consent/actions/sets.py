"""Writing down, once, which category versions a yes covers."""

from collections.abc import Iterable
from hashlib import sha256

from django.db.models import Max

from consent.models import CategorySet, CategorySetItem
from governance.models import CategoryVersion, DataCategory


def category_set(categories: Iterable[DataCategory]) -> CategorySet:
    """The set of today's versions of these categories; made where no yes had it before.

    Runs inside the transaction of the yes. Part of giving a yes, whose entry covers it.
    """
    wanted = {category.pk for category in categories}
    newest = (
        CategoryVersion.objects.filter(category__in=wanted)
        .values("category")
        .annotate(newest=Max("number"))
    )
    numbers = {row["category"]: row["newest"] for row in newest}
    versions = sorted(
        version.pk
        for version in CategoryVersion.objects.filter(category__in=wanted)
        if numbers[version.category_id] == version.number
    )
    digest = sha256(",".join(map(str, versions)).encode()).hexdigest()
    found, made = CategorySet.objects.get_or_create(digest=digest)
    if made:
        CategorySetItem.objects.bulk_create(
            CategorySetItem(set=found, version_id=version) for version in versions
        )
    return found
