"""The stored tree, as the pure tree functions want to read it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q

from audit.models import Entry, Node
from audit.tlog.tree import Place
from common.errors import NotReady
from common.words import sentence as _


def stored_hashes(places: Sequence[Place]) -> Mapping[Place, bytes]:
    """The hash of each complete subtree; the leaves' own stand with their entries."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for level, index in places:
        wanted[level].add(index)
    found: dict[Place, bytes] = {}
    leaves = wanted.pop(0, None)
    if leaves:
        numbered = Entry.objects.filter(seq__in=leaves).values_list("seq", "leaf_hash")
        found.update(((0, seq), bytes(value)) for seq, value in numbered if seq is not None)
    if wanted:
        either = Q()
        for level, indexes in wanted.items():
            either |= Q(level=level, index__in=indexes)
        nodes = Node.objects.filter(either).values_list("level", "index", "hash")
        found.update(((level, index), bytes(value)) for level, index, value in nodes)
    missing = [place for place in places if place not in found]
    if missing:
        level, index = missing[0]
        raise NotReady(
            "log_inconsistent",
            _("The log lacks its node %(level)s/%(index)s.", level=level, index=index),
        )
    return found
