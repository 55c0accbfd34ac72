"""Details: each is what its entry commits to. Whether a sealed one opens is its person's affair."""

from collections.abc import Collection
from hashlib import sha256

from django.db.models import Exists, OuterRef, Q

from audit.models import Detail, Entry
from audit.queries.tampered import Tampered
from audit.vocabulary import DETAILED

PAGE = 500


def sealed_detail(entry: int) -> bytes | None:
    """The sealed detail of the entry with this key; nothing where it has none."""
    found = Detail.objects.filter(pk=entry).values_list("sealed", flat=True).first()
    return None if found is None else bytes(found)


def sealed_details(entries: Collection[int]) -> dict[int, bytes]:
    """The details of these entries, by the entry's key; those that have none are left out."""
    rows = Detail.objects.filter(pk__in=entries).values_list("pk", "sealed")
    return {pk: bytes(sealed) for pk, sealed in rows}


def check_details() -> None:
    """Raises `Tampered` at the first detail that was changed or is gone."""
    after = 0
    while page := list(
        Detail.objects.filter(pk__gt=after).select_related("entry").order_by("pk")[:PAGE]
    ):
        for row in page:
            if sha256(bytes(row.sealed)).hexdigest() != row.entry.detail_commit:
                raise Tampered(
                    "detail", f"detail of {_place(row.entry)}", "it is not what the entry covers."
                )
        after = page[-1].pk
    lone = Entry.objects.filter(
        ~Q(detail_commit=""), ~Exists(Detail.objects.filter(pk=OuterRef("pk"))), type__in=DETAILED
    )
    gone = lone.order_by("pk").first()
    if gone is not None:
        raise Tampered("detail", f"detail of {_place(gone)}", "it is gone.")


def _place(entry: Entry) -> str:
    return "an entry that waits for its number" if entry.seq is None else f"entry {entry.seq}"
