"""RFC 6962 trees, against the public test set of certificate transparency and against a plain
recursive reading of the RFC."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.texts import Unproven
from audit.tlog.tree import (
    EMPTY_ROOT,
    Edge,
    check_consistency,
    check_inclusion,
    consistency_proof,
    cover,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_path,
    root_of,
    stored_root,
)

# The eight inputs and the roots of their first 1 to 8, as certificate transparency publishes them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
H01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
H1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
H23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
H03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
H4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
H45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
H67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
H47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
H0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"

LEAVES = [leaf_hash(data) for data in INPUTS]


def plain_root(leaves):
    """MTH as the RFC writes it, and nothing shared with the code under test but two hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def reader(leaves):
    def read(places):
        return {
            (level, index): plain_root(leaves[index << level : (index + 1) << level])
            for level, index in places
        }

    return read


def hexes(path):
    return [step.hex() for step in path]


@pytest.mark.parametrize("size", range(9))
def test_the_root_of_each_size_is_the_published_one(size):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]
    assert stored_root(size, reader(LEAVES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [H1, H23, H47]),
        (5, 8, [H4, H67, H03]),
        (2, 3, [H01]),
        (1, 5, [H0, H23, H4]),
    ],
)
def test_an_inclusion_proof_is_the_published_one(index, size, path):
    assert hexes(inclusion_proof(index, size, reader(LEAVES))) == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [H1, H23, H47]), (6, 8, [H45, H67, H03]), (2, 5, [H23, H4])],
)
def test_a_consistency_proof_is_the_published_one(old, new, path):
    assert hexes(consistency_proof(old, new, reader(LEAVES))) == path


SIZES = st.integers(1, 200)


def leaves_of(size):
    return [leaf_hash(number.to_bytes(2)) for number in range(size)]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=SIZES)
def test_every_inclusion_proof_proves_its_leaf_and_no_other(data, size):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = plain_root(leaves)
    path = inclusion_proof(index, size, reader(leaves))
    check_inclusion(leaf=leaves[index], index=index, size=size, path=path, root=root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(Unproven):
            check_inclusion(leaf=leaves[other], index=index, size=size, path=path, root=root)
        with pytest.raises(Unproven):
            check_inclusion(leaf=leaves[index], index=other, size=size, path=path, root=root)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=SIZES)
def test_every_consistency_proof_proves_its_beginning_and_no_other(data, size):
    old = data.draw(st.integers(0, size))
    leaves = leaves_of(size)
    roots = {"old_root": plain_root(leaves[:old]), "new_root": plain_root(leaves)}
    path = consistency_proof(old, size, reader(leaves))
    check_consistency(old=old, new=size, path=path, **roots)
    with pytest.raises(Unproven):
        check_consistency(old=old, new=size, path=path, **(roots | {"old_root": leaf_hash(b"x")}))
    if old > 0:
        with pytest.raises(Unproven):
            check_consistency(
                old=old, new=size, path=path, **(roots | {"new_root": leaf_hash(b"x")})
            )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(2, 200))
def test_a_path_with_one_step_altered_dropped_or_added_proves_nothing(data, size):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    good = inclusion_proof(index, size, reader(leaves))
    step = data.draw(st.integers(0, len(good) - 1))
    altered = [*good[:step], leaf_hash(good[step]), *good[step + 1 :]]
    for path in (altered, good[:step] + good[step + 1 :], [*good, good[step]]):
        with pytest.raises(Unproven):
            check_inclusion(
                leaf=leaves[index], index=index, size=size, path=path, root=plain_root(leaves)
            )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), new=st.integers(2, 200))
def test_a_consistency_path_with_one_step_altered_dropped_or_added_proves_nothing(data, new):
    old = data.draw(st.integers(1, new - 1))
    leaves = leaves_of(new)
    good = consistency_proof(old, new, reader(leaves))
    step = data.draw(st.integers(0, len(good) - 1))
    altered = [*good[:step], leaf_hash(good[step]), *good[step + 1 :]]
    for path in (altered, good[:step] + good[step + 1 :], [*good, good[step]], []):
        with pytest.raises(Unproven):
            check_consistency(
                old=old,
                new=new,
                old_root=plain_root(leaves[:old]),
                new_root=plain_root(leaves),
                path=path,
            )


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 200), more=st.integers(0, 100))
def test_an_edge_taken_up_again_grows_the_same_tree_and_completes_each_subtree_once(first, more):
    leaves = leaves_of(first + more)
    read = reader(leaves)
    places = cover(0, first)
    stored = read(places)
    edge = Edge(first, [stored[place] for place in places])
    completed = {}
    for leaf in leaves[first:]:
        for level, index, value in edge.append(leaf):
            assert (level, index) not in completed
            completed[level, index] = value
    assert edge.root() == plain_root(leaves)
    expected = {
        (level, index)
        for level in range(1, 10)
        for index in range(first >> level, (first + more) >> level)
    }
    assert completed == read(sorted(expected))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (8, 8)])
def test_a_leaf_outside_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_proof(index, size, reader(LEAVES))
    with pytest.raises(Unproven, match="not in a tree"):
        root_from_path(LEAVES[0], index, size, [])


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_a_larger_tree_is_not_the_beginning_of_a_smaller_one(old, new):
    with pytest.raises(ValueError, match="cannot be the beginning"):
        consistency_proof(old, new, reader(LEAVES))
    with pytest.raises(Unproven, match="cannot be the beginning"):
        check_consistency(old=old, new=new, old_root=b"", new_root=b"", path=[])


@pytest.mark.parametrize(("old", "new"), [(0, 4), (4, 4)])
def test_where_no_path_is_needed_none_is_taken(old, new):
    roots = {"old_root": plain_root(LEAVES[:old]), "new_root": plain_root(LEAVES[:new])}
    check_consistency(old=old, new=new, path=[], **roots)
    with pytest.raises(Unproven, match="needs a path"):
        check_consistency(old=old, new=new, path=[LEAVES[0]], **roots)


def test_an_edge_refuses_hashes_that_do_not_fit_its_size():
    with pytest.raises(ValueError, match="edge of size 3"):
        Edge(3, [LEAVES[0]])


@pytest.mark.parametrize(
    ("size", "path", "root", "word"),
    [
        (2, [], LEAVES[0], "shorter"),
        (4, [LEAVES[1]], node_hash(LEAVES[0], LEAVES[1]), "shorter"),
        (1, [LEAVES[1]], node_hash(LEAVES[1], LEAVES[0]), "longer"),
    ],
)
def test_a_path_that_ends_at_another_height_is_not_taken_though_its_hash_fits(
    size, path, root, word
):
    with pytest.raises(Unproven, match=word):
        check_inclusion(leaf=LEAVES[0], index=0, size=size, path=path, root=root)


def test_a_consistency_path_that_ends_at_another_height_is_not_taken_though_its_hashes_fit():
    pair = node_hash(LEAVES[0], LEAVES[1])
    with pytest.raises(Unproven, match="shorter"):
        check_consistency(old=1, new=4, old_root=LEAVES[0], new_root=pair, path=[LEAVES[1]])
