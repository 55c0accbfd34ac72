"""The rows of a part in the order they leave in: what the plan is asked about, and what it lets leave."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from consent.rules import Slots
from release.engine.plan import (
    PERSON,
    RECORDED,
    ROW,
    WHO,
    Shape,
    groups_of,
    opened_of,
    slot_columns,
    until_of,
)
from release.rules.decide import People
from release.rules.named import Named, found
from release.rules.person_keys import key_blocks

NOTHING = pa.scalar(None)


def person_keys(key: bytes, slots: Slots) -> pa.StringArray:
    """For each slot 32 hexadecimal signs."""
    return as_text(key_blocks(key, slots))


def as_text(blocks: bytes) -> pa.StringArray:
    """The keys in hexadecimal."""
    text = blocks.hex().encode()
    offsets = np.arange(len(blocks) // 16 + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def beside(cells: pa.Table, those: Named, people: People, order: NDArray[np.integer]) -> pa.Table:
    """The rows whose first person is known, each with what every named person opened.

    In the given order of people (`places_of_keys`): the order of our slots would link packages to
    each other. Somebody who is not known opens nothing.
    """
    known, at = found(those, people)
    rows = np.flatnonzero(known[those.row, 0])
    rows = rows[np.argsort(order[at[those.row[rows], 0]], kind="stable")]
    chosen = those.row[rows]
    groups = np.where(known, people.groups[at], np.int64(0))[chosen]
    until = people.record_until[at][chosen]
    index = pa.array(rows.astype(np.int32))
    columns = {
        ROW: index,
        WHO: pa.array(at[chosen, 0].astype(np.int32)),
        RECORDED: cells.column(RECORDED).take(index),
    }
    for place, slot in enumerate(slot_columns(those.slots.shape[1])):
        columns[slot] = cells.column(slot).take(index)
        columns[groups_of(slot)] = pa.array(groups[:, place])
        columns[until_of(slot)] = pa.array(until[:, place], type=pa.int32()).cast(pa.date32())
    return pa.table(columns)


def places_of_keys(blocks: bytes) -> NDArray[np.integer]:
    """For each person the place of her key among all keys."""
    halves = np.frombuffer(blocks, dtype=">u8")[::2].astype(np.uint64)  # the first half decides
    places = np.empty(len(halves), dtype=np.int32)
    places[np.argsort(halves)] = np.arange(len(halves), dtype=np.int32)
    if len(halves) <= np.iinfo(np.uint16).max:
        return places.astype(np.uint16)  # short numbers sort far faster
    return places


def lifted(cells: pa.Table, chosen: pa.Table, shape: Shape, keys: pa.StringArray) -> pa.Table:
    """The approved cells of the rows that the plan chose: empty where their group is closed.

    Words are written out: a part's own list of words tells what stands in everybody's cells.
    """
    rows = chosen.column(ROW)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {PERSON: keys.take(chosen.column(WHO))}
    for column in shape.columns:
        opened = chosen.column(opened_of(column.group))
        cell = cells.column(column.name).chunk(0)
        if pa.types.is_dictionary(cell.type):
            places = cell.indices.take(rows)
            columns[column.name] = cell.dictionary.take(pc.if_else(opened, places, NOTHING))
        else:
            columns[column.name] = pc.if_else(opened, cell.take(rows), NOTHING)
    return pa.table(columns)


def weight(cells: pa.Table, chosen: pa.Table, shape: Shape, enough: int) -> int:
    """Bytes of what `lifted` gives, at most: every word written out where it stands.

    Words are only counted one by one where their longest, in every row, would be more than `enough`.
    """
    rows = chosen.column(ROW).to_numpy()
    lists = [
        (cell, pc.binary_length(cell.dictionary).fill_null(0).to_numpy())
        for cell in (cells.column(column.name).chunk(0) for column in shape.columns)
        if pa.types.is_dictionary(cell.type) and len(cell.dictionary)
    ]
    plain = (32 + 8 * len(shape.columns)) * len(rows)
    most = plain + len(rows) * sum(int(lengths.max()) for _, lengths in lists)
    if most <= enough:
        return most
    return plain + sum(
        int(lengths[cell.indices.fill_null(0).to_numpy()[rows]].sum(dtype=np.int64))
        for cell, lengths in lists
    )
