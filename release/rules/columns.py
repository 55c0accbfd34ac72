"""Whole columns of cells at once. Each distinct cell is read by `values.read_cell`, nowhere else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from governance.vocabulary import FieldType
from release.rules.values import LONGEST_CELL, FieldRule, Problem, read_cell

Slots = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """A column's values, and the rows (counted from 0) whose cell is refused, with the reason."""

    values: pa.Array
    problems: list[tuple[int, Problem]]


def arrow_type(kind: FieldType) -> pa.DataType:
    """How the values of a field are kept in sealed parts."""
    match kind:
        case FieldType.TEXT | FieldType.CODE | FieldType.CODES:
            return pa.string()
        case FieldType.INTEGER:
            return pa.int64()
        case FieldType.DECIMAL:
            return pa.float64()
        case FieldType.DATE:
            return pa.date32()
        case FieldType.BOOLEAN:
            return pa.bool_()
        case _:
            assert_never(kind)


def texts(cells: Sequence[str]) -> pa.Array:
    """Cells as one Arrow array. Raises UnicodeEncodeError where one is no text (a lone surrogate).

    Joined once instead of converted one by one.
    """
    joined = "".join(cells)
    if joined.isascii():
        data, sizes = joined.encode(), map(len, cells)
    else:
        encoded = [cell.encode() for cell in cells]
        data, sizes = b"".join(encoded), map(len, encoded)
    offsets = np.zeros(len(cells) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(sizes, dtype=np.int32, count=len(cells)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(cells), pa.py_buffer(offsets), pa.py_buffer(data))


def read_column(cells: pa.Array, rule: FieldRule) -> Column:
    """The typed values of a column of text cells."""
    if rule.type == FieldType.TEXT and _plain(cells):
        values = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
        if not (rule.required and values.null_count):
            return Column(values, [])
    return distinct(cells, lambda cell: read_cell(cell, rule), arrow_type(rule.type))


def distinct(cells: pa.Array, read: Callable[[str | None], Any], kind: pa.DataType) -> Column:
    """Read each distinct cell once and put the outcomes where the cells stood."""
    encoded = cells.dictionary_encode()
    # The last outcome stands for a cell that is null.
    outcomes = [read(cell) for cell in [*encoded.dictionary.to_pylist(), None]]
    places = np.asarray(encoded.indices.fill_null(len(outcomes) - 1))
    kept = [None if isinstance(each, Problem) else each for each in outcomes]
    values = pa.array(kept, type=kind).take(pa.array(places))
    wrong = np.array([isinstance(each, Problem) for each in outcomes])[places]
    return Column(values, [(int(row), outcomes[places[row]]) for row in np.flatnonzero(wrong)])


def _plain(cells: pa.Array) -> bool:
    """Whether no cell of text can be refused: none too long, none with a NUL."""
    longest = pc.max(pc.binary_length(cells)).as_py() or 0
    return longest <= LONGEST_CELL and not pc.any(pc.match_substring(cells, "\0")).as_py()
