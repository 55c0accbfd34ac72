"""CSV, plain or packed by gzip, as rows of text cells."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from common.errors import BadInput
from release.actions.loading.limits import Limits
from release.actions.loading.lines import Lines, Stretch
from release.actions.loading.rejects import Fault
from release.actions.loading.sources import Batch, Given, check_header
from release.rules.columns import texts
from release.rules.mapping import LoadMapping
from release.rules.values import Problem, Trouble, unreadable

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
# About how many times its size a gzip of case data unpacks to; only the number of buckets hangs on it.
USUAL_EXPANSION = 10
RAGGED = Problem(Trouble.RAGGED, "put quotes around cells that hold a delimiter or a line end")


class Plain(io.RawIOBase):
    """A file's own bytes; whoever opened the file closes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Unpacked(io.RawIOBase):
    """What a gzip holds, as long as it does not grow out of all proportion."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._gzip = gzip.GzipFile(fileobj=file, mode="rb")
        self._made = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._gzip.read(len(buffer))
        except EOFError:
            raise BadInput(
                "gzip_truncated", "The gzip file ends too early. Copy it again, whole."
            ) from None
        except (gzip.BadGzipFile, zlib.error):
            raise BadInput("gzip_broken", "The gzip file is damaged. Pack it again.") from None
        self._made += len(data)
        proportion = self._made / max(1, self._file.tell())
        if self._made > self._limits.expansion_from and proportion > self._limits.expansion:
            raise BadInput(
                "gzip_bomb", "The gzip file unpacks to far more than case data does. Not loaded."
            )
        buffer[: len(data)] = data
        return len(data)


@dataclass
class Taken:
    """Records on their way into one batch."""

    lines: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    records: list[list[str]] = field(default_factory=list)
    broken: list[Fault] = field(default_factory=list)
    seen: int = 0


class DelimitedSource:
    """A CSV file whose columns fit the mapping.

    Stretches of which there is no doubt are cut into columns at once; all else is read record
    by record, and only that reading decides what is wrong.
    """

    def __init__(self, given: Given, mapping: LoadMapping, limits: Limits) -> None:
        self._given = given
        self._mapping = mapping
        self._limits = limits
        start = given.file.read(4)
        given.file.seek(0)
        self._packed = start[:2] == GZIP
        if start == PARQUET:
            raise BadInput("format", 'This is a Parquet file: write format = "parquet".')
        if start in {ZIP, OLE}:
            raise BadInput(
                "format",
                'This is a spreadsheet or a zip: write format = "xlsx", or unpack it.',
            )
        if start[:2] in UTF16 and mapping.encoding != "utf-16":
            raise _other_encoding()
        raw = Unpacked(given.file, limits) if self._packed else Plain(given.file)
        self._text = Lines(raw, mapping.encoding, limits.record_bytes)
        # Our own limits are lower where it counts; the module's would stop the whole file.
        csv.field_size_limit(limits.record_bytes)
        self._start = 0  # bytes handed on before the present record
        self._row = 0  # rows of the batches so far
        self._reader = csv.reader(self._lines(), delimiter=mapping.delimiter, strict=True)
        header = self._next()
        if header is None:
            raise BadInput("empty_file", "The file has no header line. Export it again.")
        if any(unreadable(name) for name in header):
            raise _other_encoding()
        self._width = len(header)
        self._places = check_header(header, mapping, limits.columns)
        self._stretch = Stretch(self._width, self._places, mapping)

    def expected_bytes(self) -> int:
        return self._given.size * (USUAL_EXPANSION if self._packed else 1)

    def batches(self) -> Iterator[Batch]:
        while found := self._whole() or self._single():
            for batch in found:
                self._row += batch.seen
                if self._row > self._limits.rows or self._text.size > self._limits.file_bytes:
                    raise BadInput(
                        "too_large", "The file is larger than one load may be. Divide it."
                    )
                yield batch

    def _single(self) -> list[Batch]:
        """The next records as one batch, read one by one; empty after the last."""
        batch = self._batch(self._take())
        return [batch] if batch.seen else []

    def _whole(self) -> list[Batch]:
        """The next stretch as columns; empty where it has to be read record by record."""
        data = self._text.stretch(self._limits.batch_bytes, self._mapping.delimiter)
        cells = self._stretch.columns(data) if data else None
        if cells is None:
            return []
        count = len(next(iter(cells.values())))
        first, row = self._text.line + 1, self._row + 1
        self._text.skip(len(data), count)
        pieces = -(-count // self._limits.batch_rows)
        size = -(-count // pieces)
        return [
            Batch(
                lines=np.arange(first + at, first + min(count, at + size), dtype=np.int64),
                rows=np.arange(row + at, row + min(count, at + size), dtype=np.int64),
                cells={column: array.slice(at, size) for column, array in cells.items()},
                broken=[],
                seen=min(size, count - at),
                read_bytes=self._given.file.tell(),
            )
            for at in range(0, count, size)
        ]

    def _take(self) -> Taken:
        """The next records, as many as one batch may have."""
        taken, begun, limits = Taken(), self._text.size, self._limits
        while taken.seen < limits.batch_rows and self._text.size - begun < limits.batch_bytes:
            line = self._text.line + 1
            record = self._next()
            if record is None:
                break
            if not record:
                continue  # an empty line is no row
            taken.seen += 1
            if len(record) == self._width:
                taken.records.append(record)
                taken.lines.append(line)
                taken.rows.append(self._row + taken.seen)
            else:
                taken.broken.append(Fault(line, "", RAGGED))
        return taken

    def _batch(self, taken: Taken) -> Batch:
        lines, rows, broken = taken.lines, taken.rows, taken.broken
        try:
            cells = self._columns(taken.records)
        except UnicodeEncodeError:
            faults = list(map(self._undecoded, lines, taken.records))
            whole = [place for place, found in enumerate(faults) if not found]
            cells = self._columns([taken.records[place] for place in whole])
            lines, rows = [lines[place] for place in whole], [rows[place] for place in whole]
            broken = broken + [fault for found in faults for fault in found]
        return Batch(
            lines=np.array(lines, dtype=np.int64),
            rows=np.array(rows, dtype=np.int64),
            cells=cells,
            broken=broken,
            seen=taken.seen,
            read_bytes=self._given.file.tell(),
        )

    def _columns(self, records: list[list[str]]) -> dict[str, pa.Array]:
        columns = list(zip(*records, strict=True)) or [()] * self._width
        return {column: texts(columns[place]) for column, place in self._places.items()}

    def _undecoded(self, line: int, record: list[str]) -> list[Fault]:
        found = ((column, record[place]) for column, place in self._places.items())
        return [
            Fault(line, column, problem)
            for column, cell in found
            if not _is_text(cell) and (problem := unreadable(cell)) is not None
        ]

    def _next(self) -> list[str] | None:
        self._start = self._text.size
        line = self._text.line + 1
        try:
            return next(self._reader, None)
        except csv.Error:
            # After a broken quote nobody can say where a cell ends: text could pass for rows.
            raise BadInput(
                "quotes",
                f"The quotes of the record that starts at line {line} are broken, so nothing after "
                "it can be trusted. Export the file again with quotes doubled inside cells.",
            ) from None
        except UnicodeDecodeError:
            raise _other_encoding() from None

    def _lines(self) -> Iterator[str]:
        """Lines for the reader, which never asks for more than the present record needs."""
        while line := self._text.next():
            if self._text.size - self._start > self._limits.record_bytes:
                raise BadInput(
                    "record_too_long",
                    f"The record that starts after line {self._text.line - 1} never ends. "
                    "Look for a quote that is not closed, and at the delimiter.",
                )
            yield line


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _other_encoding() -> BadInput:
    return BadInput(
        "encoding",
        "The file is not in the stated encoding. State the true one in the mapping, "
        "or export the file as UTF-8.",
    )
