"""Tiles: their paths, what stands in them, and that a tree can be rebuilt from them alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.texts import Malformed
from audit.tlog.tiles import (
    Tile,
    bundle,
    full_width,
    index_path,
    parse_bundle,
    parse_hashes,
    parse_tile,
    tiles_of,
)
from audit.tlog.tree import Edge, leaf_hash, root_of


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (0, "000"),
        (7, "007"),
        (999, "999"),
        (1000, "x001/000"),
        (1234067, "x001/x234/067"),  # the example of C2SP tlog-tiles
        (2**63 - 1, "x009/x223/x372/x036/x854/x775/807"),
    ],
)
def test_an_index_is_spelled_in_groups_of_three(index, path):
    assert index_path(index) == path
    for level in (None, 0, 5, 63):
        for width in (1, 112, 255, 256):
            tile = Tile(level, index, width)
            assert parse_tile(tile.path()) == tile


def test_paths_are_the_ones_of_the_specification():
    assert Tile(0, 5).path() == "0/005"
    assert Tile(1, 1, 17).path() == "1/001.p/17"
    assert Tile(None, 1234067, 1).path() == "entries/x001/x234/067.p/1"


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/0", "0/00", "0/0000", "0/x000/001", "00/001", "01/001", "64/000",
        "-1/000", "+1/000", "0/001.p", "0/001.p/", "0/001.p/0", "0/001.p/01", "0/001.p/256",
        "0/001.p/257", "0/001.p/-1", "0/001.p/1 ", "0/001.p/1\n", "0/001\n", "0/x001", "0/x001/",
        "0/001/002", "0/1.p/5", "entries", "entries/", "entries/1", "Entries/001", "data/001",
        "0/../001", "0/x001//002", "0/\u0660\u0660\u0661", "\u0660/001", "0/001.P/1",
        "0/x009/x223/x372/x036/x854/x775/808", "0/" + "x001/" * 7 + "001", "0/" + "x001/" * 9999,
    ],
)  # fmt: skip
def test_any_other_spelling_is_no_tile(path):
    with pytest.raises(Malformed):
        parse_tile(path)


def test_a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_counts():
    """C2SP tlog-tiles, Partial Tiles: the example of 70,000 and that of 256."""
    whole = [tile for tile in tiles_of(70_000) if tile.width == 256]
    parts = [tile for tile in tiles_of(70_000) if tile.width < 256]
    assert len([tile for tile in whole if tile.level == 0]) == 273
    assert [(tile.level, tile.width) for tile in parts] == [(0, 112), (1, 17), (2, 1)]
    assert len([tile for tile in whole if tile.level == 1]) == 1
    assert tiles_of(256) == [Tile(0, 0), Tile(1, 0, 1)]
    assert tiles_of(0) == []


@settings(max_examples=200, deadline=None)
@given(size=st.integers(0, 2**40), level=st.integers(0, 6), index=st.integers(0, 2**33))
def test_a_tile_is_as_wide_as_the_tree_has_hashes_for_it(size, level, index):
    width = full_width(level, index, size)
    first = index * 256
    assert width == sum(1 for at in range(first, first + 256) if (at + 1) * 256**level <= size)
    for wanted in (1, 255, 256):
        assert Tile(level, index, wanted).stands_at(size) == (wanted <= width)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1000])
def test_a_tree_can_be_rebuilt_from_its_tiles(size):
    leaves = [leaf_hash(number.to_bytes(2)) for number in range(size)]
    stored = {(0, number): leaf for number, leaf in enumerate(leaves)}
    edge = Edge()
    for leaf in leaves:
        stored |= {(level, index): value for level, index, value in edge.append(leaf)}
    found = []
    for tile in tiles_of(size):
        hashes = [stored[place] for place in tile.places()]
        assert parse_hashes(b"".join(hashes)) == hashes
        if tile.level == 0:
            found += hashes
        else:
            below = [leaves[at * 256 : at * 256 + 256] for at in range(len(hashes))]
            assert hashes == [root_of(each) for each in below]  # level 1: each over one whole tile
    assert root_of(found) == edge.root()


@given(entries=st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries(entries):
    assert parse_bundle(bundle(entries)) == entries


def test_a_bundle_is_lengths_of_two_bytes_and_entries():
    assert bundle([b"", b"ab", b"c" * 256]) == b"\0\0" + b"\0\x02ab" + b"\x01\0" + b"c" * 256
    assert len(bundle([b"x" * 65_535])) == 65_537
    with pytest.raises(Malformed, match="65535"):
        bundle([b"x" * 65_536])


@pytest.mark.parametrize("data", [b"\0", b"\0\x01", b"\0\x02a", b"\0\0\0"])
def test_a_bundle_that_ends_within_an_entry_is_refused(data):
    with pytest.raises(Malformed, match="within an entry"):
        parse_bundle(data)


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33, b"x" * (257 * 32)])
def test_what_is_no_row_of_hashes_is_refused(data):
    with pytest.raises(Malformed, match="1 to 256"):
        parse_hashes(data)
