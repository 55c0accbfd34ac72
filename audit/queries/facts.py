"""What entries say, for those who compare it with what the tables hold."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import Entry

PAGE = 1000
COLUMNS = (
    "pk", "seq", "type", "time", "resource", "purpose", "decision", "reason", "policy", "epoch_everyone", "epoch_scope",
    "subjects_root", "subjects_band", "detail_commit", "nonce",
)  # fmt: skip


@dataclass(frozen=True)
class EntryFacts:
    """One entry without its leaf; `seq` is empty while it waits for its number."""

    pk: int
    seq: int | None
    type: str
    time: datetime
    resource: str
    purpose: str
    decision: str
    reason: str
    policy: str
    epoch_everyone: int | None
    epoch_scope: int | None
    subjects_root: bytes | None
    subjects_band: str
    detail_commit: str
    nonce: bytes

    @property
    def place(self) -> str:
        return "an entry that waits for its number" if self.seq is None else f"entry {self.seq}"


def facts(pks: Collection[int | None]) -> dict[int, EntryFacts]:
    """These entries by their key; those that are not there are left out."""
    wanted = sorted({pk for pk in pks if pk is not None})
    found: dict[int, EntryFacts] = {}
    for start in range(0, len(wanted), PAGE):
        rows = Entry.objects.filter(pk__in=wanted[start : start + PAGE])
        found.update({row[0]: _facts(row) for row in rows.values_list(*COLUMNS)})
    return found


def leaves(pks: Collection[int]) -> dict[int, bytes]:
    """The bytes of these entries as they stand in the tree, by their key."""
    rows = Entry.objects.filter(pk__in=pks).values_list("pk", "leaf")
    return {pk: bytes(leaf) for pk, leaf in rows}


def pages_of(types: Collection[str]) -> Iterator[list[EntryFacts]]:
    """Every entry of these types, a page at a time, oldest key first."""
    after = 0
    while page := [
        _facts(row)
        for row in Entry.objects.filter(type__in=types, pk__gt=after)
        .order_by("pk")
        .values_list(*COLUMNS)[:PAGE]
    ]:
        yield page
        after = page[-1].pk


def at_time(types: Collection[str], times: Collection[datetime]) -> list[EntryFacts]:
    """The entries of these types that stand at one of these instants."""
    rows = Entry.objects.filter(type__in=types, time__in=times).order_by("pk")
    return [_facts(row) for row in rows.values_list(*COLUMNS)]


def within(type_: str, actor: str, since: datetime, until: datetime) -> list[EntryFacts]:
    """The entries of one type by one actor from one instant up to another."""
    times = {"time__gte": since, "time__lt": until}
    rows = Entry.objects.filter(type=type_, actor=actor, **times).order_by("pk")
    return [_facts(row) for row in rows.values_list(*COLUMNS)]


def about(types: Collection[str], resources: Collection[str]) -> list[EntryFacts]:
    """The entries of these types about any of these things."""
    rows = Entry.objects.filter(type__in=types, resource__in=resources).order_by("pk")
    return [_facts(row) for row in rows.values_list(*COLUMNS)]


def _facts(row: tuple[Any, ...]) -> EntryFacts:
    values = dict(zip(COLUMNS, row, strict=True))
    root = values["subjects_root"]
    return EntryFacts(
        **{
            **values,
            "subjects_root": None if root is None else bytes(root),
            "nonce": bytes(values["nonce"]),
        }
    )
