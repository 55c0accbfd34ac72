"""The log as tiles: what anyone may read, and the entries behind it."""

from audit.models import Entry, Node
from audit.queries.log import log_size
from audit.tlog.tiles import HEIGHT, WIDTH, Tile, bundle


def tile_hashes(tile: Tile) -> bytes | None:
    """The bytes of one tile of hashes; None where the signed log has no such tile yet."""
    if tile.level is None or not tile.stands_at(log_size()):
        return None
    first = tile.index * WIDTH
    last = first + tile.width
    if tile.level == 0:
        leaves = Entry.objects.filter(seq__gte=first, seq__lt=last).order_by("seq")
        hashes = list(leaves.values_list("leaf_hash", flat=True))
    else:
        level = HEIGHT * tile.level
        nodes = Node.objects.filter(level=level, index__gte=first, index__lt=last)
        hashes = list(nodes.order_by("index").values_list("hash", flat=True))
    # A log that lost a row has no such tile: never a tile that is short of one.
    return b"".join(map(bytes, hashes)) if len(hashes) == tile.width else None


def entry_bundle(tile: Tile) -> bytes | None:
    """The leaves of one entry tile, each after its length; None where there is no such tile yet."""
    if not tile.stands_at(log_size()):
        return None
    first = tile.index * WIDTH
    rows = Entry.objects.filter(seq__gte=first, seq__lt=first + tile.width).order_by("seq")
    leaves = [bytes(leaf) for leaf in rows.values_list("leaf", flat=True)]
    return bundle(leaves) if len(leaves) == tile.width else None
