"""C2SP tiles, the tree and the entries as files that any web server could hold:
https://c2sp.org/tlog-tiles.

A tile of level L is 256 hashes wide, each over 256**L entries: in this tree's own words the places
of level 8 * L. Whatever is incomplete at a size is served as a partial tile of that width.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from audit.tlog.texts import HASH_SIZE, LARGEST_SIZE, Malformed
from audit.tlog.tree import Place

WIDTH = 256
HEIGHT = 8
ENTRIES = "entries"
LARGEST_ENTRY = 2**16 - 1
_PATH = re.compile(
    r"(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z",
    re.ASCII,
)


@dataclass(frozen=True)
class Tile:
    """One tile of hashes, or of entries (`level` is None), whole (256) or partial (1 to 255)."""

    level: int | None
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """Where it is served, below `<prefix>/tile/`."""
        level = ENTRIES if self.level is None else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{level}/{index_path(self.index)}{part}"

    def places(self) -> list[Place]:
        """The subtrees whose hashes it holds, from left to right; an entry tile's are its leaves."""
        first = self.index * WIDTH
        level = HEIGHT * (self.level or 0)
        return [(level, index) for index in range(first, first + self.width)]

    def stands_at(self, size: int) -> bool:
        """Whether a tree of this size has this tile, or had it as a partial one when smaller."""
        return self.width <= full_width(self.level or 0, self.index, size)


def index_path(index: int) -> str:
    """1234067 is `x001/x234/067`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def parse_tile(path: str) -> Tile:
    """Reads what stands after `<prefix>/tile/`; refuses every spelling but the one of `path`."""
    found = _PATH.match(path)
    if found is None:
        raise Malformed("A tile is level/index, or entries/index, as C2SP tlog-tiles spells them.")
    level = None if found["level"] == ENTRIES else int(found["level"])
    index = int(found["index"].replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    tile = Tile(level, index, width)
    if width > WIDTH or (level or 0) > 63 or index > LARGEST_SIZE or tile.path() != path:
        raise Malformed("A tile has a level 0 to 63, a width 1 to 255 and no number too many.")
    return tile


def full_width(level: int, index: int, size: int) -> int:
    """How many hashes the tile at this place has in a tree of `size`: 0 to 256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def tiles_of(size: int) -> list[Tile]:
    """Every tile of hashes of a tree of this size: from level 0 upward, from left to right."""
    found = []
    level = 0
    while count := size >> (HEIGHT * level):
        whole, rest = divmod(count, WIDTH)
        found += [Tile(level, index) for index in range(whole)]
        found += [Tile(level, whole, rest)] if rest else []
        level += 1
    return found


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one behind the other, each after its length in two bytes."""
    parts = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise Malformed(f"An entry in a bundle has at most {LARGEST_ENTRY} bytes.")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def parse_bundle(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise Malformed("The bundle ends within an entry.")
        found.append(data[start:at])
    return found


def parse_hashes(data: bytes) -> list[bytes]:
    """The hashes of one tile."""
    if not data or len(data) % HASH_SIZE or len(data) > WIDTH * HASH_SIZE:
        raise Malformed("A tile holds 1 to 256 hashes of 32 bytes.")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
