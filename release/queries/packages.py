"""The sealed files of packages: which of them are there."""

from collections.abc import Iterator
from itertools import islice

from release.models import Lease, ReleasePart
from release.storage import store

FOLDER = "packages"
PAGE = 500


def there(name: str) -> bool:
    """Whether the sealed file of one part of a package is there."""
    return store().exists(name)


def strays() -> Iterator[str]:
    """The release, by reference, of each file in the packages' folder that no part names; those
    that are being written at present are left out."""
    names = iter(store().names(FOLDER))
    while chunk := list(islice(names, PAGE)):
        # A file listed here had its lease before it and its part before the lease went.
        busy = set(Lease.objects.values_list("release__ref", flat=True))
        known = set(ReleasePart.objects.filter(name__in=chunk).values_list("name", flat=True))
        for name in chunk:
            ref = name.split("/")[1]
            if name not in known and ref not in busy:
                yield ref
