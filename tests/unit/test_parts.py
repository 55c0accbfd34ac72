"""Where rows are cut, who is present, and how bytes are kept."""

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage import x25519

from common.errors import NotReady
from release.rules.parts import PresenceBits, cuts, halves
from release.storage import LocalStore, memory, seal, unseal

PEOPLE = st.lists(st.integers(0, 40), max_size=300).map(lambda each: np.array(sorted(each), int))


@settings(deadline=None)
@given(slots=PEOPLE, fair=st.integers(1, 50))
def test_cuts_keep_every_row_and_every_person_whole(slots, fair):
    found = cuts(slots, fair=fair)
    assert [row for start, stop in found for row in range(start, stop)] == list(range(len(slots)))
    assert all(start < stop for start, stop in found)
    for (_, stop), (start, _) in pairwise(found):
        assert stop == start
        assert slots[stop - 1] != slots[start]


def test_cuts_are_even_where_each_person_has_few_rows():
    slots = np.repeat(np.arange(100_000), 2)
    sizes = [stop - start for start, stop in cuts(slots)]
    assert sum(sizes) == 200_000
    assert 66_660 <= min(sizes) <= max(sizes) <= 66_670


def test_one_person_alone_is_one_part_however_many_rows():
    assert cuts(np.zeros(120_000, int)) == [(0, 120_000)]
    assert halves(np.zeros(10, int)) is None


@settings(deadline=None)
@given(slots=PEOPLE)
def test_a_half_ends_between_two_people(slots):
    border = halves(slots)
    if border is None:
        assert len(set(slots.tolist())) <= 1
    else:
        assert slots[border - 1] != slots[border]


@settings(deadline=None)
@given(slots=st.sets(st.integers(0, 70_000), max_size=60))
def test_presence_is_one_bit_for_each_person_lowest_first(slots):
    bits = PresenceBits()
    half = sorted(slots)[: len(slots) // 2]
    bits.add(np.array(half, int))
    bits.add(np.array(sorted(slots), int))
    found = {
        block << 13 | bit
        for block, chunk in bits.chunks()
        for bit in range(8192)
        if chunk[bit >> 3] & 1 << (bit & 7)
    }
    assert found == slots
    assert bits.people() == len(slots)
    assert {len(chunk) for _, chunk in bits.chunks()} <= {1024}


def test_a_store_keeps_gives_back_lists_and_forgets(tmp_path):
    store = LocalStore(tmp_path)
    stored = store.put("parts/a/000001.age", b"sealed")
    store.put("parts/b/000001.age", b"other")
    assert stored.size == 6
    assert store.open("parts/a/000001.age") == b"sealed"
    assert store.exists("parts/a/000001.age")
    assert list(store.names("parts")) == ["parts/a/000001.age", "parts/b/000001.age"]
    assert list(store.names("parts/a")) == ["parts/a/000001.age"]
    assert (tmp_path / "parts/a/000001.age").stat().st_mode & 0o777 == 0o600
    store.delete("parts/a/000001.age")
    store.delete("parts/a/000001.age")
    assert not store.exists("parts/a/000001.age")
    assert not (tmp_path / "parts" / "a").exists()
    with pytest.raises(FileNotFoundError):
        store.open("parts/a/000001.age")


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "a/../b",
        "a//b",
        "",
        ".",
        "a/.draft-1",
        "A",
        "a\n",
        "a/b/c/d/e/f/g",
        "a\\b",
    ],
)
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    store = LocalStore(tmp_path)
    for deed in (store.open, store.exists, store.delete, lambda each: store.put(each, b"x")):
        with pytest.raises(ValueError, match="plain words"):
            deed(name)


def test_a_write_that_fails_leaves_nothing_and_says_not_ready(tmp_path, monkeypatch):
    store = LocalStore(tmp_path)
    store.put("a/old", b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotReady):
        store.put("a/old", b"new")
    monkeypatch.undo()
    assert store.open("a/old") == b"old"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["old"]


def test_drafts_of_a_crash_are_cleared_by_age_and_never_listed(tmp_path):
    store = LocalStore(tmp_path)
    store.put("a/kept", b"kept")
    for name, age in (("old", 90_000), ("new", 60)):
        draft = tmp_path / "a" / f".draft-{name}"
        draft.write_bytes(b"half")
        moment = time.time() - age
        os.utime(draft, (moment, moment))
    assert list(store.names("a")) == ["a/kept"]
    assert store.clear_drafts(time.time() - 86_400) == 1
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [".draft-new", "kept"]


def test_only_the_right_identity_opens_what_was_sealed():
    identity, other = x25519.Identity.generate(), x25519.Identity.generate()
    sealed = seal(b"songbird", [identity.to_public()])
    assert b"songbird" not in sealed
    assert unseal(sealed, identity) == b"songbird"
    for data, key in ((sealed, other), (sealed[:-1] + b"x", identity), (b"", identity)):
        with pytest.raises(NotReady):
            unseal(data, key)


def test_memory_has_a_path_and_no_place_on_a_disk():
    with memory(b"songbird") as found:
        assert Path(found.path).read_bytes() == found.read() == b"songbird"
        with Path(found.path).open("ab") as file:
            file.write(b"s")
        assert found.read() == b"songbirds"
        assert "memfd" in os.readlink(found.path)
        handle = found.handle
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
