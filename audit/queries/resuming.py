"""Going on from a head of the log that is known to be good, without reading what lies before it."""

from collections.abc import Iterable, Mapping

from audit.queries.log import consistency
from audit.queries.nodes import stored_hashes
from audit.queries.tampered import Tampered
from audit.tlog.checkpoints import Checkpoint as Head
from audit.tlog.texts import Unproven
from audit.tlog.tree import Edge, check_consistency, cover
from common.errors import NotReady


def edge_at(size: int) -> Edge:
    """The right edge of the log as its stored nodes have it at this size; nothing is looked at yet.

    Raises `Tampered` where a node is not there.
    """
    places = cover(0, size)
    try:
        stored = stored_hashes(places)
    except (KeyError, NotReady) as error:
        raise Tampered(
            "node", f"size {size}", "a node of the log before it is not there."
        ) from error
    return Edge(size, [stored[place] for place in places])


def begun(after: Head | None, size: int, outside: Mapping[int, Head]) -> Edge:
    """Where a verification begins: at the beginning, or after a head up to which all was verified.

    `size`: how many entries the log has; `outside`: heads kept elsewhere, by size. Raises `Tampered`
    where the log does not go on from that head, or that head not from an older one of `outside`.
    """
    if after is None:
        return Edge()
    if after.size > size:
        raise Tampered(
            "cut", f"size {after.size}", f"the log has {size} entries, fewer than were verified."
        )
    edge = _edge_after(after)
    _check_older(outside.values(), after)
    return edge


def begun_at(first: int, after: Head | None) -> Edge:
    """Where a verification of the entries from `first` begins, or goes on after a head up to which it
    came; what lies before `first` is taken as its nodes have it. Raises `Tampered` as `begun`."""
    return edge_at(first) if after is None else _edge_after(after)


def _edge_after(head: Head) -> Edge:
    edge = edge_at(head.size)
    if edge.root() != head.root:
        raise Tampered(
            "known", f"size {head.size}", "the log that was verified before was another."
        )
    return edge


def _check_older(outside: Iterable[Head], head: Head) -> None:
    for older in outside:
        if older.size > head.size:
            continue
        try:
            check_consistency(
                old=older.size,
                new=head.size,
                old_root=older.root,
                new_root=head.root,
                path=consistency(older.size, head.size) if 0 < older.size < head.size else [],
            )
        except (KeyError, NotReady, Unproven) as error:
            raise Tampered(
                "outside", f"size {older.size}", "the checkpoint kept outside has another root."
            ) from error
