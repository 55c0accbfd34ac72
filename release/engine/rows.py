"""The rows of a part in the order they leave in, with what is known of each named person beside them."""

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from consent.rules import Slots
from release.engine.plan import PERSON_KEY, groups_of, slot_columns, until_of
from release.rules.decide import People
from release.rules.named import Named, found


def person_keys(key: bytes, slots: Slots) -> pa.StringArray:
    """For each slot 32 hexadecimal signs: AES-256 of the slot under the agreement's own key.

    A permutation: two people never share one, and without the key none leads to a slot or to the
    same person's key under another agreement.
    """
    return _as_text(_blocks(key, slots))


def _blocks(key: bytes, slots: Slots) -> bytes:
    blocks = np.zeros((len(slots), 4), dtype=">u4")
    blocks[:, 3] = slots
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - single blocks
    return encryptor.update(blocks.tobytes()) + encryptor.finalize()


def _as_text(blocks: bytes) -> pa.StringArray:
    text = blocks.hex().encode()
    offsets = np.arange(len(blocks) // 16 + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def beside(cells: pa.Table, those: Named, people: People, key: bytes) -> pa.Table:
    """The rows whose first person is known, each with her key and what each named person opened.

    In the order of those keys: the order of our slots would link packages to each other. Somebody
    who is not known opens nothing.
    """
    blocks = _blocks(key, people.slots)
    halves = np.frombuffer(blocks, dtype=">u8")[::2].astype(np.uint64)  # the first half decides
    # Short numbers sort far faster.
    small = np.uint16 if len(halves) <= np.iinfo(np.uint16).max else np.int32
    places = np.empty(len(halves), dtype=small)
    places[np.argsort(halves)] = np.arange(len(halves), dtype=small)
    known, at = found(those, people)
    rows = np.flatnonzero(known[those.row, 0])
    rows = rows[np.argsort(places[at[those.row[rows], 0]], kind="stable")]
    chosen = those.row[rows]
    groups = np.where(known, people.groups[at], np.int64(0))[chosen]
    until = people.record_until[at][chosen]
    who = pa.array(at[chosen, 0].astype(np.int32))
    table = cells.take(pa.array(rows)).append_column(
        PERSON_KEY, pa.DictionaryArray.from_arrays(who, _as_text(blocks))
    )
    for place, slot in enumerate(slot_columns(those.slots.shape[1])):
        table = table.append_column(groups_of(slot), pa.array(groups[:, place]))
        day = pa.array(until[:, place], type=pa.int32()).cast(pa.date32())
        table = table.append_column(until_of(slot), day)
    return table
