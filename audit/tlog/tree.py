"""RFC 6962 Merkle trees over SHA-256: growing, roots, inclusion and consistency proofs.

A tree is kept as the hashes of its complete subtrees. A `Place` names one: `(level, index)`
covers the leaves from `index << level` up to `(index + 1) << level`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

from audit.tlog.texts import Unproven

Place = tuple[int, int]
Span = tuple[int, int]
Reader = Callable[[Sequence[Place]], Mapping[Place, bytes]]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        places = cover(0, size)
        if len(places) != len(hashes):
            raise ValueError(f"An edge of size {size} has {len(places)} hashes.")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Take one more leaf hash; answers the subtrees it completed, from level 1 upward."""
        done: list[tuple[int, int, bytes]] = []
        level, index, value = 0, self.size, leaf
        while index & 1:
            value = node_hash(self._hashes.pop(), value)
            level, index = level + 1, index >> 1
            done.append((level, index, value))
        self._hashes.append(value)
        self.size += 1
        return done

    def root(self) -> bytes:
        return fold(self._hashes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, largest first."""
    if not hashes:
        return EMPTY_ROOT
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes: pairs, level by level; who is left over goes up as it is."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def cover(first: int, last: int) -> list[Place]:
    """The complete subtrees that make up the leaves from `first` up to `last`, largest first.

    `first` must be a multiple of the smallest power of two that is not below the span's length;
    every span of an RFC 6962 proof is.
    """
    places: list[Place] = []
    while first < last:
        level = (last - first).bit_length() - 1
        places.append((level, first >> level))
        first += 1 << level
    return places


def _split(length: int) -> int:
    """The largest power of two below `length`."""
    return 1 << ((length - 1).bit_length() - 1)


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The subtrees whose roots prove leaf `index` in a tree of `size`, from the leaf upward."""
    if not 0 <= index < size:
        raise ValueError(f"Leaf {index} is not in a tree of size {size}.")
    spans: list[Span] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The subtrees whose roots prove that the tree of `old` is a beginning of that of `new`."""
    if not 0 <= old <= new:
        raise ValueError(f"A tree of size {old} cannot be the beginning of one of size {new}.")
    if old in {0, new}:
        return []
    spans: list[Span] = []
    first, last = 0, new
    while last != old:
        middle = first + _split(last - first)
        if old <= middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first = middle
    if first:
        spans.append((first, last))
    return spans[::-1]


def hashes_of(spans: Sequence[Span], read: Reader) -> list[bytes]:
    """The root of each span, from stored complete subtrees, in one reading."""
    covers = [cover(first, last) for first, last in spans]
    stored = read([place for places in covers for place in places])
    return [fold([stored[place] for place in places]) for places in covers]


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    return hashes_of(inclusion_spans(index, size), read)


def consistency_proof(old: int, new: int, read: Reader) -> list[bytes]:
    return hashes_of(consistency_spans(old, new), read)


def stored_root(size: int, read: Reader) -> bytes:
    """The root of the tree of `size`, from its stored complete subtrees."""
    return hashes_of([(0, size)], read)[0] if size else EMPTY_ROOT


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to; a path of the wrong length is `Unproven`."""
    if not 0 <= index < size:
        raise Unproven(f"Leaf {index} is not in a tree of size {size}.")
    value = leaf
    place, edge = index, size - 1
    steps = iter(path)
    for sibling in steps:
        if not edge:
            raise Unproven("The path is longer than the tree is high.")
        if place & 1 or place == edge:
            value = node_hash(sibling, value)
            while not place & 1 and place:
                place, edge = place >> 1, edge >> 1
        else:
            value = node_hash(value, sibling)
        place, edge = place >> 1, edge >> 1
    if edge:
        raise Unproven("The path is shorter than the tree is high.")
    return value


def check_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Raises `Unproven` unless `path` shows leaf hash `leaf` at `index` under `root`."""
    if root_from_path(leaf, index, size, path) != root:
        raise Unproven("The path does not lead from this leaf to this root.")


def check_consistency(
    *, old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raises `Unproven` unless `path` shows the old tree to be a beginning of the new one."""
    if not 0 <= old <= new:
        raise Unproven(f"A tree of size {old} cannot be the beginning of one of size {new}.")
    if old in {0, new}:
        if path:
            raise Unproven("Nothing needs a path here, and one was given.")
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise Unproven("The old root is not the one of its size.")
        return
    if _roots_from_path(old, new, old_root, path) != (old_root, new_root):
        raise Unproven("The path does not lead from the old root to the new one.")


def _roots_from_path(
    old: int, new: int, old_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    # A complete old tree is itself the first hash, so the proof leaves it out.
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        raise Unproven("The path is empty.")
    place, edge = old - 1, new - 1
    while place & 1:
        place, edge = place >> 1, edge >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if not edge:
            raise Unproven("The path is longer than the tree is high.")
        if place & 1 or place == edge:
            before = node_hash(sibling, before)
            after = node_hash(sibling, after)
            while not place & 1 and place:
                place, edge = place >> 1, edge >> 1
        else:
            after = node_hash(after, sibling)
        place, edge = place >> 1, edge >> 1
    if edge:
        raise Unproven("The path is shorter than the tree is high.")
    return before, after
