"""The small tree of the people in one entry: a root over their sorted tags, and one's path.

A tag tells nothing without its person's key; the leaf is the tag's RFC 6962 leaf hash.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.tlog.texts import HASH_SIZE
from audit.tlog.tree import (
    Place,
    check_inclusion,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)


@dataclass(frozen=True)
class SubjectPath:
    """Where one tag stands among the tags of an entry, and the hashes that show it."""

    index: int
    size: int
    path: tuple[bytes, ...]


def sorted_tags(tags: Iterable[bytes]) -> list[bytes]:
    """The tags in the tree's order, each once."""
    found = sorted(set(tags))
    if not set(map(len, found)) <= {HASH_SIZE}:
        raise ValueError(f"A tag has {HASH_SIZE} bytes.")
    return found


def subjects_root(tags: Iterable[bytes]) -> bytes:
    found = sorted_tags(tags)
    return root_of([leaf_hash(tag) for tag in found])


def subject_path(tags: Iterable[bytes], tag: bytes) -> SubjectPath:
    found = sorted_tags(tags)
    index = bisect_left(found, tag)
    if index == len(found) or found[index] != tag:
        raise KeyError("This tag is not among the entry's tags.")
    nodes = _complete_subtrees([leaf_hash(each) for each in found])

    def read(places: Sequence[Place]) -> Mapping[Place, bytes]:
        return {place: nodes[place[0]][place[1]] for place in places}

    return SubjectPath(index, len(found), tuple(inclusion_proof(index, len(found), read)))


@dataclass(frozen=True)
class Step:
    """One hash on the way up, and on which side it stands. It tells no size, and so no count."""

    left: bool
    hash: bytes


def steps(path: SubjectPath) -> tuple[Step, ...]:
    """The same path without index and size: whoever reads it learns only how high the tree is."""
    found = []
    place, edge = path.index, path.size - 1
    for sibling in path.path:
        left = bool(place & 1 or place == edge)
        found.append(Step(left, sibling))
        while left and place and not place & 1:
            place, edge = place >> 1, edge >> 1
        place, edge = place >> 1, edge >> 1
    return tuple(found)


def climbed(leaf: bytes, way: Iterable[Step]) -> bytes:
    """The hash that these steps lead to from a leaf hash."""
    for step in way:
        leaf = node_hash(step.hash, leaf) if step.left else node_hash(leaf, step.hash)
    return leaf


def check_subject(*, tag: bytes, path: SubjectPath, root: bytes) -> None:
    """Raises `Unproven` unless the path shows the tag under an entry's `subjects_root`."""
    check_inclusion(
        leaf=leaf_hash(tag), index=path.index, size=path.size, path=path.path, root=root
    )


def _complete_subtrees(leaves: list[bytes]) -> list[list[bytes]]:
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = range(0, len(below) - 1, 2)
        levels.append([node_hash(below[at], below[at + 1]) for at in pairs])
    return levels
