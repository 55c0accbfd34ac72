"""Readings of the log: its head, its entries, and the proofs about them."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Subquery

from audit.models import Checkpoint, Entry
from audit.queries.nodes import stored_hashes
from audit.tlog.proofs import LogProof
from audit.tlog.tree import Edge, consistency_proof, cover, inclusion_proof
from audit.vocabulary import EntryType

PAGE = 2048


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def log_size() -> int:
    """How many entries stand under the latest checkpoint."""
    head = latest_checkpoint()
    return head.size if head else 0


def checkpoint_over(entry: Entry) -> Checkpoint | None:
    """The first checkpoint that holds this entry, so that its proof is always the same text."""
    seq = Entry.objects.filter(pk=entry.pk).values("seq")[:1]
    return Checkpoint.objects.filter(size__gt=Subquery(seq)).order_by("size").first()


def root_at(size: int) -> bytes:
    """The root of the log as it was at this size; KeyError where it never was as large."""
    places = cover(0, size)
    stored = stored_hashes(places)
    return Edge(size, [stored[place] for place in places]).root()


def entry_about(type: str, resource: str) -> Entry | None:
    """The first entry of this type about this very thing."""
    return Entry.objects.filter(type=type, resource=resource).order_by("pk").first()


def covered(entry: Entry) -> bool:
    """Whether the entry stands under a signed checkpoint."""
    return checkpoint_over(entry) is not None


def bursts_since(moment: datetime, *, via: str) -> int:
    """How many bursts of failed sign-ins at one door the log has heard of since then."""
    found = Entry.objects.filter(type=EntryType.SIGNIN_FAILED, time__gt=moment, via=via)
    return found.count()


def entries(first: int, last: int) -> Iterator[Entry]:
    """The entries numbered from `first` up to, but without, `last`, a page at a time."""
    while first < last:
        border = min(first + PAGE, last)
        page = list(Entry.objects.filter(seq__gte=first, seq__lt=border).order_by("seq"))
        yield from page
        if not page:
            return
        first = border


def inclusion(seq: int, size: int) -> list[bytes]:
    """The hashes that show entry `seq` in the log as it was at `size`."""
    return inclusion_proof(seq, size, stored_hashes)


def consistency(old: int, new: int) -> list[bytes]:
    """The hashes that show the log at `old` to be the beginning of the log at `new`."""
    return consistency_proof(old, new, stored_hashes)


def proof_under(entry: Entry, size: int, note: str) -> str:
    """The entry's proof under this checkpoint's note, its leaf along with it as extra data."""
    # A number is given once and for ever; only an entry that was read before has to be read again.
    seq = entry.seq
    if seq is None:
        seq = Entry.objects.values_list("seq", flat=True).get(pk=entry.pk)
    assert seq is not None  # noqa: S101 - narrows the type; a checkpoint holds only numbered ones
    path = inclusion(seq, size)
    leaf = bytes(entry.leaf)
    return LogProof(index=seq, path=tuple(path), checkpoint=note, extra=leaf).render()
