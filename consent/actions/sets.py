"""Writing down, once, which category versions a yes covers."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from consent.models import CategorySet, CategorySetItem
from governance.models import CategoryVersion, DataCategory


def added_later(categories: Iterable[DataCategory], signed_at: datetime) -> bool:
    """Whether one of these categories was not in the catalogue yet on the day of signing."""
    wanted = {category.pk for category in categories}
    then = CategoryVersion.objects.filter(category__in=wanted, published_at__lte=signed_at)
    return then.values("category").distinct().count() < len(wanted)


def category_set(categories: Iterable[DataCategory], signed_at: datetime) -> CategorySet:
    """The set of these categories as they stood at the signing: what was added later is not covered.

    Runs inside the transaction of the yes. Part of giving a yes, whose entry covers it.
    """
    wanted = {category.pk for category in categories}
    newest: dict[int, int] = {}
    for category, version in (
        CategoryVersion.objects.filter(category__in=wanted, published_at__lte=signed_at)
        .order_by("number")
        .values_list("category_id", "pk")
    ):
        newest[category] = version
    versions = sorted(newest.values())
    digest = sha256(",".join(map(str, versions)).encode()).hexdigest()
    found, made = CategorySet.objects.get_or_create(digest=digest)
    if made:
        CategorySetItem.objects.bulk_create(
            CategorySetItem(set=found, version_id=version) for version in versions
        )
    return found
