"""Parquet as rows of text cells: every type in the one spelling that CSV has for it."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.errors import BadInput
from governance.vocabulary import FieldType
from release.actions.loading.limits import Limits
from release.actions.loading.sources import Batch, Given, check_header
from release.rules.mapping import LoadMapping
from release.rules.values import LONGEST_CELL

PARQUET = b"PAR1"
BATCH_ROWS = 8192
MIDNIGHT = r" 00:00:00(\.0+)?$"
TOO_LONG = "x" * (LONGEST_CELL + 1)
READABLE = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


class ColumnarSource:
    """A Parquet file whose columns fit the mapping."""

    def __init__(self, given: Given, mapping: LoadMapping, limits: Limits) -> None:
        self._given = given
        self._limits = limits
        try:
            # Repeated long cells stay one until their length is known.
            schema = pq.read_schema(given.file)
            strings = [each.name for each in schema if _is_text(each.type)]
            given.file.seek(0)
            self._file = pq.ParquetFile(given.file, read_dictionary=strings)
        except (pa.ArrowException, OSError) as error:
            raise _damaged() from error
        self._schema = schema
        self._columns = list(check_header(schema.names, mapping, limits.columns))
        several = {rule.column for rule in mapping.fields if rule.type == FieldType.CODES}
        for column in self._columns:
            _check_type(column, schema.field(column).type, column in several)
        if self._file.metadata.num_rows > limits.rows or self.expected_bytes() > limits.file_bytes:
            raise BadInput("too_large", "The file is larger than one load may be. Divide it.")

    def expected_bytes(self) -> int:
        metadata = self._file.metadata
        groups = range(metadata.num_row_groups)
        return sum(metadata.row_group(number).total_byte_size for number in groups)

    def batches(self) -> Iterator[Batch]:
        row, total = 0, max(1, self._file.metadata.num_rows)
        try:
            for found in self._file.iter_batches(
                batch_size=min(BATCH_ROWS, self._limits.batch_rows), columns=self._columns
            ):
                numbers = np.arange(row + 1, row + found.num_rows + 1, dtype=np.int64)
                row += found.num_rows
                yield Batch(
                    lines=numbers,
                    rows=numbers,
                    cells={column: _spelled(found.column(column)) for column in self._columns},
                    broken=[],
                    seen=found.num_rows,
                    read_bytes=self._given.size * row // total,
                )
        except (pa.ArrowException, OSError) as error:
            raise _damaged() from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_type(column: str, kind: pa.DataType, several: bool) -> None:
    if pa.types.is_list(kind) and _is_text(kind.value_type) and several:
        return
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(check(value) for check in READABLE):
        raise BadInput(
            "parquet_type",
            f"The column {column!r} holds values of the Parquet type {kind}. Write it as text, "
            "number, date or boolean; as a list of text only where the field's type is codes.",
        )


def _spelled(cells: pa.Array) -> pa.Array:
    """The cells as text; nothing is rounded: what does not fit the field is refused there."""
    if pa.types.is_dictionary(cells.type):
        words = _spelled(cells.dictionary)
        # What is longer than any cell may be is refused anyway, so it need not be kept whole.
        long = pc.greater(pc.binary_length(words), LONGEST_CELL)
        if pc.any(long).as_py():  # `if_else` would reckon with all of them being that long
            told = zip(words.to_pylist(), long.to_pylist(), strict=True)
            words = pa.array([TOO_LONG if each else word for word, each in told], pa.string())
        return words.take(cells.indices)
    if pa.types.is_list(cells.type):
        if cells.flatten().null_count:
            raise BadInput("parquet_list", "A list in the Parquet file holds an empty place.")
        return pc.binary_join(cells.cast(pa.list_(pa.string())), ";")
    text = cells.cast(pa.string())
    text.validate(full=True)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return pc.replace_substring_regex(text, MIDNIGHT, "")
    return text


def _damaged() -> BadInput:
    return BadInput(
        "parquet_broken",
        "The Parquet file is damaged, sealed or holds text that is not UTF-8. Export it again.",
    )
