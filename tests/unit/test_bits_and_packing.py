"""People kept as bits and as packed slots come back as they went in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.rules.bits import BLOCK, block_of, chunks_of, place_of, slots_of
from release.rules.packed import pack, unpack

HIGHEST = 2**31 - 1
SLOT = st.one_of(st.integers(0, HIGHEST), st.integers(0, 3 * BLOCK))
SETS = st.sets(SLOT, max_size=200)


def slots(found):
    return np.array(sorted(found), dtype=np.int32)


@given(found=SETS)
def test_slots_come_back_from_their_bits(found):
    chunks = chunks_of(slots(found))
    back = slots_of(chunks)
    assert back.dtype == np.int32
    assert back.tolist() == sorted(found)
    assert [block for block, _ in chunks] == sorted({block_of(slot) for slot in found})
    assert all(len(bits) == BLOCK // 8 for _, bits in chunks)


@given(found=SETS.filter(bool), other=SLOT)
def test_one_byte_and_its_mask_tell_whether_a_slot_is_among_them(found, other):
    chunks = dict(chunks_of(slots(found)))
    for slot in [*found, other]:
        byte, mask = place_of(slot)
        bits = chunks.get(block_of(slot), bytes(BLOCK // 8))
        assert bool(bits[byte] & mask) == (slot in found)


@given(found=st.lists(SLOT, max_size=50))
def test_order_and_repetition_make_no_difference_to_bits(found):
    assert chunks_of(np.array(found, dtype=np.int32)) == chunks_of(slots(set(found)))


@given(one=SETS, other=SETS)
def test_chunks_of_several_sets_join(one, other):
    both = [*chunks_of(slots(one)), *chunks_of(slots(other))]
    assert slots_of(both).tolist() == sorted(one | other)


def test_bits_are_read_from_what_a_database_gives():
    ((block, bits),) = chunks_of(slots({5}))
    assert slots_of([(block, memoryview(bits))]).tolist() == [5]


@pytest.mark.parametrize(
    ("slot", "block", "place"),
    [
        (0, 0, (0, 1)),
        (7, 0, (0, 128)),
        (8, 0, (1, 1)),
        (8191, 0, (1023, 128)),
        (8192, 1, (0, 1)),
        (HIGHEST, 262_143, (1023, 128)),
    ],
)
def test_where_a_slot_lies(slot, block, place):
    assert (block_of(slot), place_of(slot)) == (block, place)


@given(found=SETS)
def test_packed_slots_come_back(found):
    packed = pack(slots(found))
    assert unpack(packed).tolist() == sorted(found)
    assert unpack(memoryview(packed)).dtype == np.int32


def test_neighbouring_slots_take_little_room():
    assert len(pack(np.arange(1_000_000, 1_020_000, dtype=np.int32))) < 2_000
