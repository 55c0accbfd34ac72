"""Readings of the log: its head, its entries, and the proofs about them."""

from collections.abc import Iterator

from audit.models import Checkpoint, Entry
from audit.queries.nodes import stored_hashes
from audit.tlog.proofs import LogProof
from audit.tlog.tree import consistency_proof, inclusion_proof
from common.errors import NotReady
from common.words import sentence as _

PAGE = 2048


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def log_size() -> int:
    """How many entries stand under the latest checkpoint."""
    head = latest_checkpoint()
    return head.size if head else 0


def checkpoint_over(entry: Entry) -> Checkpoint | None:
    """The first checkpoint that holds this entry, so that its proof is always the same text."""
    seq = Entry.objects.filter(pk=entry.pk).values_list("seq", flat=True).first()
    if seq is None:
        return None
    return Checkpoint.objects.filter(size__gt=seq).order_by("size").first()


def covered(entry: Entry) -> bool:
    """Whether the entry stands under a signed checkpoint."""
    return checkpoint_over(entry) is not None


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


def proof(entry: Entry) -> str:
    """The entry's proof as a `.tlog-proof` text; `NotReady` while no checkpoint holds it."""
    checkpoint = checkpoint_over(entry)
    if checkpoint is None:
        raise NotReady("log_not_ready", _("This entry is not under a signed checkpoint yet."))
    seq = Entry.objects.values_list("seq", flat=True).get(pk=entry.pk)
    assert seq is not None  # noqa: S101 - narrows the type; a checkpoint holds only numbered ones
    path = inclusion(seq, checkpoint.size)
    return LogProof(index=seq, path=tuple(path), checkpoint=checkpoint.note).render()
