"""Writing down, once, which category versions a yes covers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from consent.models import CategorySet, CategorySetItem
from governance.models import CategoryVersion, DataCategory

Chosen = tuple[datetime, frozenset[int]]  # the instant of the signing, the categories


def added_later(categories: Iterable[DataCategory], signed_at: datetime) -> bool:
    """Whether one of these categories was not in the catalogue yet on the day of signing."""
    wanted = {category.pk for category in categories}
    then = CategoryVersion.objects.filter(category__in=wanted, published_at__lte=signed_at)
    return then.values("category").distinct().count() < len(wanted)


def versions_at(categories: Iterable[DataCategory], signed_at: datetime) -> frozenset[int]:
    """The versions that a yes to these categories covers, as they stood at the signing."""
    chosen = frozenset(category.pk for category in categories)
    sets = category_sets([(signed_at, chosen)])
    return frozenset(sets.versions[sets.digest_of(signed_at, chosen)])


@dataclass(frozen=True)
class CategorySets:
    """Which versions each choice of categories covers; `stored` gives every set its row."""

    chosen: Mapping[Chosen, str]
    versions: Mapping[str, tuple[int, ...]]

    def digest_of(self, signed_at: datetime, categories: frozenset[int]) -> str:
        return self.chosen[signed_at, categories]

    def stored(self) -> dict[str, int]:
        """The row of each set, by its digest; runs inside the transaction of the yes."""
        found: dict[str, int] = dict(
            CategorySet.objects.filter(digest__in=self.versions).values_list("digest", "pk")
        )
        for digest in sorted(self.versions.keys() - found.keys()):
            row, made = CategorySet.objects.get_or_create(digest=digest)
            found[digest] = row.pk
            if made:
                CategorySetItem.objects.bulk_create(
                    CategorySetItem(set=row, version_id=version)
                    for version in self.versions[digest]
                )
        return found


def category_sets(chosen: Iterable[Chosen]) -> CategorySets:
    """These choices as the categories stood at the signing: what was added later is not covered."""
    wanted = list(chosen)
    published: dict[int, list[tuple[datetime, int]]] = {}
    for category, at, version in (
        CategoryVersion.objects.filter(category__in={pk for _, each in wanted for pk in each})
        .order_by("number")
        .values_list("category_id", "published_at", "pk")
    ):
        published.setdefault(category, []).append((at, version))
    digests: dict[Chosen, str] = {}
    versions: dict[str, tuple[int, ...]] = {}
    for signed_at, categories in wanted:
        then = [
            [version for at, version in published.get(category, ()) if at <= signed_at][-1:]
            for category in categories
        ]
        covered = tuple(sorted(version for each in then for version in each))
        digest = sha256(",".join(map(str, covered)).encode()).hexdigest()
        digests[signed_at, categories] = digest
        versions[digest] = covered
    return CategorySets(digests, versions)


def category_set(categories: Iterable[DataCategory], signed_at: datetime) -> CategorySet:
    """The set of these categories as they stood at the signing.

    Runs inside the transaction of the yes. Part of giving a yes, whose entry covers it.
    """
    sets = category_sets([(signed_at, frozenset(category.pk for category in categories))])
    (pk,) = sets.stored().values()
    return CategorySet.objects.get(pk=pk)
