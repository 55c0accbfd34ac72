"""The whole log computed anew from its leaves, in constant memory.

Two checkpoints that both match the roots computed here are consistent with one another by
construction: the second tree was grown from the first. What no reading of the log itself can show
is a log that was cut back as a whole; that takes a checkpoint kept outside.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q

from audit.models import (
    Checkpoint,
    Cosignature,
    Entry,
    JournalDigest,
    JournalWaiting,
    LogEntry,
    Node,
)
from audit.queries.details import check_details
from audit.queries.journal import journal_resource, journal_row
from audit.queries.resuming import begun, begun_at
from audit.queries.tampered import Tampered
from audit.rules import Leaf, journal_digest, leaf_bytes
from audit.tlog.checkpoints import Checkpoint as Head
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.notes import Known, parse_note
from audit.tlog.texts import Malformed, Unproven
from audit.tlog.tree import EMPTY_ROOT, Edge, Place, leaf_hash, root_of
from audit.vocabulary import EntryType

PAGE = 2048
BLOCK = 65_536  # leaves whose subtree is computed at once; a power of two, and few megabytes
COLUMNS = (
    "seq", "leaf", "leaf_hash", "version", "type", "time", "actor", "via", "purpose", "resource",
    "decision", "reason", "policy", "epoch_everyone", "epoch_scope", "subjects_root",
    "subjects_band", "detail_commit", "nonce",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What was found to hold."""

    size: int
    root: bytes
    checkpoints: int
    journal_rows: int
    journal_waiting: int
    pending: int


def verify(
    *,
    origin: str,
    verifiers: Collection[Known],
    outside: Iterable[Head] = (),
    cosigners: Collection[Known] = (),
    after: Head | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    passed: Callable[[Head], None] = lambda head: None,
) -> Verdict:
    """Raises `Tampered` at the first thing that does not hold.

    `outside` are checkpoints kept elsewhere: the log must still hold exactly what they say.
    `cosigners` are the witnesses whose stored cosignatures are checked. `after`: a head up to which
    all was verified before; its entries are not read again, and the log must still go on from it.
    `passed` is given the head of what holds so far, page by page: an `after` for the next time.
    """
    # The numbers first, the head afterwards: a sequencer at work may only make the head larger.
    highest = Entry.objects.aggregate(most=Max("seq"))["most"]
    head = Checkpoint.objects.order_by("-size").first()
    size = head.size if head else 0
    if highest is not None and highest >= size:
        raise Tampered("tail", f"entry {size}", "numbered, and under no checkpoint.")
    outer = {checkpoint.size: checkpoint for checkpoint in outside}
    if outer and max(outer) > size:
        raise Tampered(
            "cut", f"size {max(outer)}", f"the log has {size} entries, fewer than once signed."
        )
    edge, signed = begun(after, size, outer), 0
    for first in range(edge.size, size, PAGE):
        last = min(first + PAGE, size)
        signed += _check_page(edge, last, origin=origin, verifiers=verifiers, outside=outer)
        passed(Head(origin, edge.size, edge.root()))
        progress(last, size)
    _check_no_node_beyond()
    _check_cosignatures(cosigners)
    check_details()
    rows, waiting = _check_journal()
    return Verdict(
        size=size,
        root=edge.root(),
        checkpoints=signed,
        journal_rows=rows,
        journal_waiting=waiting,
        pending=Entry.objects.filter(seq__isnull=True).count(),
    )


def verify_range(
    *,
    origin: str,
    verifiers: Collection[Known],
    first: int,
    last: int,
    after: Head | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    passed: Callable[[Head], None] = lambda head: None,
) -> Head:
    """The entries from `first` up to, but without, `last`, and on to the signed head that covers
    them; gives that head. Raises `Tampered` at the first thing that does not hold.

    What lies before is not read: its nodes are held against that head with what is read. `passed` is
    given the head of what was read so far, page by page: an `after` to go on from.
    """
    covering = Checkpoint.objects.filter(size__gte=last).order_by("size").first()
    if covering is None:
        raise Tampered("tail", f"entry {last - 1}", "stands under no checkpoint.")
    edge = begun_at(first, after)
    for start in range(edge.size, covering.size, PAGE):
        border = min(start + PAGE, covering.size)
        _check_page(edge, border, origin=origin, verifiers=verifiers, outside={})
        passed(Head(origin, edge.size, edge.root()))
        progress(border - first, covering.size - first)
    return Head(origin, edge.size, edge.root())


def verify_root(
    *,
    origin: str,
    verifiers: Collection[Known],
    outside: Iterable[Head] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Head:
    """The quick look: the leaves alone lead to the signed root. Raises `Tampered` where they do not.

    Looks at no column, node, journal row or older checkpoint; for a large log that is a sixth of the
    work and still no leaf can have changed, gone or come.
    """
    checkpoint = Checkpoint.objects.order_by("-size").first()
    if checkpoint is None:
        return Head(origin, 0, EMPTY_ROOT)
    try:
        head = open_checkpoint(checkpoint.note, origin=origin, verifiers=verifiers)
    except (Malformed, Unproven) as error:
        raise Tampered("signature", f"checkpoint {checkpoint.size}", str(error)) from error
    outer = {each.size: each for each in outside}
    if outer and max(outer) > head.size:
        raise Tampered(
            "cut", f"size {max(outer)}", f"the log has {head.size} entries, fewer than once signed."
        )
    roots = _roots({head.size, *outer}, progress)
    if roots[head.size] != head.root:
        raise Tampered(
            "root", f"checkpoint {head.size}", "its root is not the one of the entries before it."
        )
    for size, kept in outer.items():
        if roots[size] != kept.root:
            raise Tampered(
                "outside", f"size {size}", "the checkpoint kept outside has another root."
            )
    return head


def _roots(sizes: Collection[int], progress: Callable[[int, int], None]) -> dict[int, bytes]:
    """The roots at these sizes, from the leaves as they stand: blocks of whole subtrees first."""
    last, found, blocks = max(sizes), {0: EMPTY_ROOT}, list[bytes]()
    for first in range(0, last, BLOCK):
        border = min(first + BLOCK, last)
        leaves = [leaf_hash(leaf) for leaf in _leaves(first, border)]
        for size in sizes:
            if first < size <= border:
                found[size] = root_of([*blocks, root_of(leaves[: size - first])])
        blocks.append(root_of(leaves))
        progress(border, last)
    return found


def _leaves(first: int, last: int) -> Iterator[bytes]:
    for start in range(first, last, PAGE):
        border = min(start + PAGE, last)
        page = Entry.objects.filter(seq__gte=start, seq__lt=border).order_by("seq")
        number = start
        for seq, leaf in page.values_list("seq", "leaf"):
            if seq != number:
                break
            yield bytes(leaf)
            number += 1
        if number != border:
            raise Tampered("missing", f"entry {number}", "is not there.")


def _check_page(
    edge: Edge,
    last: int,
    *,
    origin: str,
    verifiers: Collection[Known],
    outside: dict[int, Head],
) -> int:
    first = edge.size
    nodes = _nodes_between(first, last)
    checkpoints = {
        checkpoint.size: checkpoint
        for checkpoint in Checkpoint.objects.filter(size__gt=first, size__lte=last)
    }
    page = Entry.objects.filter(seq__gte=first, seq__lt=last).order_by("seq")
    for row in page.values_list(*COLUMNS):
        if row[0] != edge.size:
            break
        for level, index, value in edge.append(_checked_leaf_hash(row)):
            _check_node(nodes, (level, index), value)
        if edge.size in checkpoints:
            _check_checkpoint(checkpoints[edge.size], edge, origin=origin, verifiers=verifiers)
        if edge.size in outside and outside[edge.size].root != edge.root():
            raise Tampered(
                "outside", f"size {edge.size}", "the checkpoint kept outside has another root."
            )
    if edge.size < last:
        raise Tampered("missing", f"entry {edge.size}", "is not there.")
    return len(checkpoints)


def _nodes_between(first: int, last: int) -> dict[Place, bytes]:
    """The stored subtrees that the leaves from `first` up to `last` complete."""
    either, level = Q(), 1
    while last >> level:
        if first >> level < last >> level:
            either |= Q(level=level, index__gte=first >> level, index__lt=last >> level)
        level += 1
    if not either:
        return {}
    found = Node.objects.filter(either).values_list("level", "index", "hash")
    return {(level, index): bytes(value) for level, index, value in found}


def _checked_leaf_hash(row: tuple[object, ...]) -> bytes:
    seq, leaf, stored_hash, *columns = row
    data, value = _bytes(leaf), _bytes(stored_hash)
    place = f"entry {seq}"
    if leaf_hash(data) != value:
        raise Tampered("leaf", place, "its leaf is not the one of its leaf hash.")
    try:
        spelled = leaf_bytes(_leaf_from(columns))
    except (TypeError, ValueError):
        spelled = b""
    if spelled != data:
        raise Tampered("columns", place, "its columns and its leaf do not say the same.")
    return value


def _leaf_from(columns: list[object]) -> Leaf:
    (version, type_, time, actor, via, purpose, resource, decision, reason, policy,
     epoch_everyone, epoch_scope, root, band, commit, nonce) = columns  # fmt: skip
    if not isinstance(time, datetime):
        raise TypeError("The column does not hold a time.")
    return Leaf(
        type=str(type_),
        time=time,
        actor=str(actor),
        via=str(via),
        purpose=str(purpose),
        resource=str(resource),
        decision=str(decision),
        reason=str(reason),
        policy=str(policy),
        epoch_everyone=_whole(epoch_everyone),
        epoch_scope=_whole(epoch_scope),
        subjects_root=None if root is None else _bytes(root),
        subjects_band=str(band),
        detail_commit=str(commit),
        nonce=_bytes(nonce),
        version=_whole(version) or 0,
    )


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes | memoryview | bytearray):
        raise TypeError("The column does not hold bytes.")
    return bytes(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _check_node(nodes: dict[Place, bytes], place: Place, value: bytes) -> None:
    level, index = place
    first, last = index << level, ((index + 1) << level) - 1
    where = f"entries {first} to {last}"
    stored = nodes.get(place)
    if stored is None:
        raise Tampered("node", where, f"their node {level}/{index} is not there.")
    if stored != value:
        raise Tampered("node", where, f"their node {level}/{index} is not over these leaves.")


def _check_checkpoint(
    checkpoint: Checkpoint, edge: Edge, *, origin: str, verifiers: Collection[Known]
) -> None:
    place = f"checkpoint {checkpoint.size}"
    try:
        signed = open_checkpoint(checkpoint.note, origin=origin, verifiers=verifiers)
    except (Malformed, Unproven) as error:
        raise Tampered("signature", place, str(error)) from error
    if (signed.size, signed.root) != (checkpoint.size, bytes(checkpoint.root)):
        raise Tampered("checkpoint", place, "its columns and its note do not say the same.")
    if signed.root != edge.root():
        raise Tampered("root", place, "its root is not the one of the entries before it.")


def _check_no_node_beyond() -> None:
    found = list(Node.objects.values("level").annotate(most=Max("index")).order_by("level"))
    head = Checkpoint.objects.order_by("-size").first()  # after the nodes: it may only be larger
    size = head.size if head else 0
    for row in found:
        if (row["most"] + 1) << row["level"] > size:
            raise Tampered("node", f"node {row['level']}/{row['most']}", "no entries reach it.")


def _check_cosignatures(cosigners: Collection[Known]) -> None:
    """What a known witness signed is over the head of that size."""
    known = {(each.name, each.key_id): each for each in cosigners}
    after = 0
    while page := list(Cosignature.objects.filter(pk__gt=after).order_by("pk")[:PAGE]):
        notes = dict(
            Checkpoint.objects.filter(size__in={row.size for row in page}).values_list(
                "size", "note"
            )
        )
        for row in page:
            cosigner = known.get((row.name, bytes(row.key_id)))
            _check_cosignature(row, notes.get(row.size), cosigner)
        after = page[-1].pk


def _check_cosignature(row: Cosignature, note: str | None, cosigner: Known | None) -> None:
    place = f"cosignature of {row.name} at size {row.size}"
    if note is None:
        raise Tampered("cosignature", place, "the checkpoint it is over is not there.")
    if cosigner is not None:
        try:
            cosigner.check(parse_note(note).text, bytes(row.signature))
        except (Malformed, Unproven) as error:
            raise Tampered("cosignature", place, str(error)) from error


def _check_journal() -> tuple[int, int]:
    """Every change-journal row has its entry, and says what it said then."""
    rows = waiting_rows = after = 0
    while page := list(
        LogEntry.objects.filter(pk__gt=after).select_related("content_type").order_by("pk")[:PAGE]
    ):
        within = {"pk__gt": after, "pk__lte": page[-1].pk}
        # Waiting first: a row that is being covered is then seen in one of the two at least.
        waiting = set(JournalWaiting.objects.filter(**within).values_list("pk", flat=True))
        digests = {
            digest.pk: digest
            for digest in JournalDigest.objects.filter(**within).select_related("entry")
        }
        for row in page:
            digest = digests.get(row.pk)
            if digest is not None:
                _check_journal_row(row, digest)
            elif row.pk in waiting:
                waiting_rows += 1
            else:
                raise Tampered("journal", f"journal row {row.pk}", "no entry covers it.")
        rows += len(page)
        after = page[-1].pk
    _check_no_journal_row_gone()
    return rows, waiting_rows


def _check_journal_row(row: LogEntry, digest: JournalDigest) -> None:
    entry, place = digest.entry, f"journal row {row.pk}"
    if entry.type != EntryType.JOURNAL_CHANGED or entry.resource != journal_resource(row.pk):
        raise Tampered("journal", place, f"entry {entry.seq} is not about it.")
    if journal_digest(bytes(digest.salt), journal_row(row)) != entry.detail_commit:
        raise Tampered("journal", place, f"it no longer says what entry {entry.seq} covers.")


def _check_no_journal_row_gone() -> None:
    row = LogEntry.objects.filter(pk=OuterRef("pk"))
    gone = JournalDigest.objects.filter(~Exists(row)).order_by("pk").first()
    if gone is not None:
        raise Tampered("journal", f"journal row {gone.pk}", "an entry covers it, and it is gone.")
    digest = JournalDigest.objects.filter(entry=OuterRef("pk"))
    lone = Entry.objects.filter(~Exists(digest), type=EntryType.JOURNAL_CHANGED)
    first = lone.order_by("pk").first()
    if first is not None:
        raise Tampered("journal", f"entry {first.seq}", "the journal row it covers is gone.")
