"""Whole columns of cells at once. Each distinct cell is read by `values.read_cell`, nowhere else."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from consent.vocabulary import LONGEST_NUMBER
from governance.vocabulary import FieldType
from release.rules.values import LONGEST_CELL, FieldRule, Problem, rank, read_cell

Slots = npt.NDArray[np.int64]
LONGEST_INTEGER = 18  # so many digits fit into 64 bits, whatever they are
LONGEST_DECIMAL = 40
FIRST_DAY = date(1, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
VISIBLE = bytes(range(0x21, 0x7F))
WORDS = pa.dictionary(pa.int32(), pa.string())
DIGITS = b"0123456789-"
# What Arrow reads of a cell and `read_cell` would not is known of these, and looked at.
READ_AS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE})
DIGITS_AND_POINT = b"0123456789-."


@dataclass(frozen=True)
class Column:
    """A column's values, and the rows (counted from 0) whose cell is refused, with the reason."""

    values: pa.Array
    problems: list[tuple[int, Problem]]


def arrow_type(kind: FieldType) -> pa.DataType:
    """How the values of a field are held on their way into sealed parts."""
    match kind:
        case FieldType.TEXT:
            return pa.string()
        case FieldType.CODE | FieldType.CODES:
            return WORDS
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


def as_arrow(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Numbers and flags as they lie. `pa.array` would load pandas: a third of a second, once a process."""
    holes = None
    if missing is not None and missing.any():
        holes = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    flags = values.dtype == np.bool_
    data = np.packbits(values, bitorder="little") if flags else np.ascontiguousarray(values)
    kind = pa.bool_() if flags else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [holes, pa.py_buffer(data)])


def as_numbers(values: pa.Array) -> npt.NDArray[Any]:
    """Numbers and days as they lie; what stands where one is missing means nothing."""
    kind = np.dtype(f"i{values.type.bit_width // 8}")
    found = np.frombuffer(values.buffers()[1] or b"", kind)
    return found[values.offset : values.offset + len(values)]


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
    """The typed values of a column of text cells, which may come as places in a list of words.

    Cells that were read as the field's own type, none of them to be refused, stay as they are.
    """
    if rule.type in READ_AS and cells.type == arrow_type(rule.type):
        return Column(cells, [])
    values = None if pa.types.is_dictionary(cells.type) else _at_once(cells, rule)
    if values is not None and not (rule.required and values.null_count):
        return Column(values, [])
    return distinct(cells, lambda cell: read_cell(cell, rule), arrow_type(rule.type), rule.codes)


def none_refused(values: pa.Array, rule: FieldRule) -> bool:
    """Whether no cell of a column that Arrow could read as the field's own type is to be refused:
    none is missing, out of bounds, or no number and no day that we know."""
    if rule.required and values.null_count:
        return False
    if rule.type == FieldType.DECIMAL:
        known = pc.all(pc.is_finite(values)).as_py() is not False
    else:
        known = rule.type != FieldType.DATE or all_days_known(values)
    return known and _within(values, rule)


def all_days_known(days: pa.Array) -> bool:
    """Whether there is no day before the year 1, which Arrow knows and Python does not."""
    first = pc.min(days.cast(pa.int32())).as_py()
    return first is None or first >= FIRST_DAY


def read_days(cells: pa.Array, read: Callable[[str | None], Any]) -> Column:
    """The days of a column where every row has one."""
    if cells.type == pa.date32():
        return Column(cells, [])
    values = _days(cells)
    if values is not None and not values.null_count:
        return Column(values, [])
    return distinct(cells, read, pa.date32())


def read_numbers(cells: pa.Array, read: Callable[[str | None], Any]) -> Column:
    """The client numbers of a column, without the spaces around them."""
    if not pa.types.is_dictionary(cells.type) and not cells.null_count:
        sizes = pc.min_max(pc.binary_length(cells)).as_py()
        # Nothing but signs that one sees: there is nothing to take away and nothing to refuse.
        if sizes["min"] and sizes["max"] <= LONGEST_NUMBER and _only(cells, VISIBLE):
            return Column(cells, [])
    return distinct(cells, read, pa.string())


def distinct(
    cells: pa.Array,
    read: Callable[[str | None], Any],
    kind: pa.DataType,
    words: Sequence[str] = (),
) -> Column:
    """Read each distinct cell once and put the outcomes where the cells stood.

    `words`: the list that outcomes of the kind WORDS are places in; others stand behind them.
    """
    encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    # The last outcome stands for a cell that is null.
    outcomes = [read(cell) for cell in [*encoded.dictionary.to_pylist(), None]]
    places = _places(encoded.indices, missing=len(outcomes) - 1)
    kept = [None if isinstance(each, Problem) else each for each in outcomes]
    if kind == WORDS:
        values = _as_places(kept, places, words)
    elif kind == pa.bool_():
        flags = np.array([each is True for each in kept])
        values = as_arrow(flags[places], np.array([each is None for each in kept])[places])
    else:
        values = pa.array(kept, type=kind).take(as_arrow(places))
    wrong = np.array([isinstance(each, Problem) for each in outcomes])[places]
    return Column(values, [(int(row), outcomes[places[row]]) for row in np.flatnonzero(wrong)])


def _places(indices: pa.Array, *, missing: int) -> npt.NDArray[np.int32]:
    """Places in a list as they lie, `missing` where there is none."""
    found = as_numbers(indices)
    if not indices.null_count:
        return found
    return np.where(indices.is_null().to_numpy(zero_copy_only=False), np.int32(missing), found)


def _as_places(kept: list[Any], places: npt.NDArray[np.int32], words: Sequence[str]) -> pa.Array:
    """The outcomes as places in a list of words, in which each stands once."""
    listed = list(dict.fromkeys([*words, *(each for each in kept if each is not None)]))
    place_of = {word: at for at, word in enumerate(listed)}
    own = np.array([place_of.get(each, -1) for each in kept], dtype=np.int32)[places]
    return pa.DictionaryArray.from_arrays(as_arrow(own, own < 0), texts(listed))


def _at_once(cells: pa.Array, rule: FieldRule) -> pa.Array | None:
    """The values of a column none of whose cells can be refused; None where one may be."""
    match rule.type:
        case FieldType.TEXT:
            return _empty_as_null(cells) if _plain(cells) else None
        case FieldType.INTEGER:
            values = _numbers(cells, DIGITS, LONGEST_INTEGER, pa.int64())
        case FieldType.DECIMAL:
            values = _numbers(cells, DIGITS_AND_POINT, LONGEST_DECIMAL, pa.float64())
        case FieldType.DATE:
            values = _days(cells)
        case FieldType.CODE | FieldType.CODES | FieldType.BOOLEAN:
            return None
        case _:
            assert_never(rule.type)
    return values if values is not None and _within(values, rule) else None


def _numbers(cells: pa.Array, signs: bytes, longest: int, kind: pa.DataType) -> pa.Array | None:
    """Numbers of nothing but these signs, so few that none can be too large to keep."""
    if _longest(cells) > longest or not _only(cells, signs):
        return None
    try:
        return _empty_as_null(cells).cast(kind)
    except pa.ArrowInvalid:
        return None


def _days(cells: pa.Array) -> pa.Array | None:
    """Days that are all written YYYY-MM-DD and are in the calendar."""
    if _longest(cells) > len("YYYY-MM-DD") or not _only(cells, DIGITS):
        return None
    try:
        days = _empty_as_null(cells).cast(pa.date32())
    except pa.ArrowInvalid:
        return None
    return days if all_days_known(days) else None


def _within(values: pa.Array, rule: FieldRule) -> bool:
    if rule.minimum is None and rule.maximum is None:
        return True
    ends = pc.min_max(values).as_py()
    if ends["min"] is None:
        return True
    least = -math.inf if rule.minimum is None else rank(rule.minimum)
    most = math.inf if rule.maximum is None else rank(rule.maximum)
    return least <= rank(ends["min"]) and rank(ends["max"]) <= most


def _only(cells: pa.Array, signs: bytes) -> bool:
    """Whether all cells together hold none but these signs."""
    return not _data(cells).translate(None, signs)


def _data(cells: pa.Array) -> bytes:
    """All cells, one behind the other."""
    _valid, offsets, data = cells.buffers()
    if data is None:
        return b""
    ends = np.frombuffer(offsets, dtype=np.int32)[[cells.offset, cells.offset + len(cells)]]
    return bytes(memoryview(data)[ends[0] : ends[1]])


def _longest(cells: pa.Array) -> int:
    longest: int | None = pc.max(pc.binary_length(cells)).as_py()
    return longest or 0


def _empty_as_null(cells: pa.Array) -> pa.Array:
    if cells.null_count:
        return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
    empty = as_numbers(pc.binary_length(cells)) == 0
    if not empty.any():
        return cells
    _valid, offsets, data = cells.buffers()
    filled = np.concatenate([np.zeros(cells.offset, np.bool_), ~empty])
    holes = pa.py_buffer(np.packbits(filled, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string(), len(cells), [holes, offsets, data], offset=cells.offset
    )


def _plain(cells: pa.Array) -> bool:
    """Whether no cell of text can be refused: none too long, none with a NUL."""
    return _longest(cells) <= LONGEST_CELL and b"\0" not in _data(cells)
