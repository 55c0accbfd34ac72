"""The lines of a text file, one by one or many at once."""

import io
from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from governance.vocabulary import FieldType
from release.rules.mapping import LoadMapping

BLOCK = 4 * 1024 * 1024
# A stretch that has to be read record by record; then the next one is looked at anew.
DOUBTFUL = 256 * 1024
QUOTE, NEWLINE, RETURN = b'"\n\r'
MARK = b"\xef\xbb\xbf"
CODECS = {"windows-1252": "cp1252"}
LISTED = frozenset({FieldType.CODE, FieldType.CODES, FieldType.BOOLEAN})

Signs = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


class Lines:
    """A file's lines as text, whatever ends them; bytes that are no text become lone surrogates.

    A line longer than `most` bytes is given in pieces.
    """

    def __init__(self, raw: io.RawIOBase, encoding: str, most: int) -> None:
        self.size = 0  # bytes given so far; characters where the file is UTF-16
        self.line = 0  # lines given so far
        self._most = most
        self._codec = CODECS.get(encoding, encoding)
        self._file = io.BufferedReader(raw, BLOCK)
        self._wide = (
            io.TextIOWrapper(self._file, "utf-16", errors="surrogateescape", newline="")
            if encoding == "utf-16"
            else None
        )
        self._held = b""  # read and not given yet
        self._at = 0
        self._cut: deque[bytes] = deque()  # the next lines of what is held
        self._doubtful = 0  # up to this size
        self._ended = False
        if self._wide is None:
            self._held = self._file.read(BLOCK)
            self._at = len(MARK) if self._held.startswith(MARK) and encoding == "utf-8" else 0

    def next(self) -> str:
        """The next line with its end; empty after the last."""
        if self._wide is not None:
            text = self._wide.readline(self._most)
            self.size += len(text)
            self.line += bool(text)
            return text
        if not self._cut:
            self._cut.extend(self._some(DOUBTFUL).splitlines(keepends=True))
        if not self._cut:
            return ""
        raw = self._cut.popleft()
        self._at += len(raw)
        self.size += len(raw)
        self.line += 1
        return raw.decode(self._codec, "surrogateescape")

    def stretch(self, most: int, delimiter: str) -> bytes:
        """Whole lines in UTF-8, each one record of which no two readers can disagree; empty where
        that cannot be said of the next ones."""
        if self._wide is not None or self._codec != "utf-8" or self.size < self._doubtful:
            return b""
        data = self._some(min(most, BLOCK))
        if is_plain(data, delimiter.encode()):
            return data
        self._doubtful = self.size + DOUBTFUL
        return b""

    def skip(self, size: int, lines: int) -> None:
        """Count a stretch as given."""
        self._cut.clear()
        self._at += size
        self.size += size
        self.line += lines

    def _some(self, most: int) -> bytes:
        """About so many bytes of whole lines from here on; more where a line is longer."""
        want = most
        while True:
            self._fill(want)
            stop = self._at + want
            if self._ended and len(self._held) <= stop:
                return self._held[self._at :]
            end = self._held.rfind(b"\n", self._at, stop) + 1
            if not end:
                # One byte less: a line end of Windows is not cut in two.
                end = self._held.rfind(b"\r", self._at, stop - 1) + 1
            if end > self._at:
                return self._held[self._at : end]
            if want > self._most:
                return self._held[self._at : stop]
            want *= 2

    def _fill(self, want: int) -> None:
        while not self._ended and len(self._held) - self._at < want:
            more = self._file.read(BLOCK)
            self._ended = not more
            self._held = self._held[self._at :] + more
            self._at = 0


class Stretch:
    """Cuts stretches of lines into columns of text; what is a list of words comes as places."""

    def __init__(self, width: int, places: Mapping[str, int], mapping: LoadMapping) -> None:
        self._names = [str(place) for place in range(width)]
        self._places = places
        listed = {rule.column for rule in mapping.fields if rule.type in LISTED}
        words = pa.dictionary(pa.int32(), pa.string())
        self._parse = csv.ParseOptions(
            delimiter=mapping.delimiter, quote_char='"', newlines_in_values=False
        )
        self._convert = csv.ConvertOptions(
            column_types={
                str(place): words if column in listed else pa.string()
                for column, place in places.items()
            },
            include_columns=list(dict.fromkeys(str(place) for place in places.values())),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        )

    def columns(self, data: bytes) -> dict[str, pa.Array] | None:
        """The wanted columns of these lines; None where a line has another number of cells or
        holds bytes that are not text."""
        try:
            table = csv.read_csv(
                pa.BufferReader(data),
                read_options=csv.ReadOptions(column_names=self._names, block_size=len(data) + 1),
                parse_options=self._parse,
                convert_options=self._convert,
            )
        except pa.ArrowInvalid:
            return None
        return {column: _one(table.column(str(place))) for column, place in self._places.items()}


def is_plain(data: bytes, delimiter: bytes) -> bool:
    """Whether every line is one record: no empty line, no line end within quotes, and quotes
    around whole cells only."""
    if data[:1] in {b"\n", b"\r"}:
        return False
    signs = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(signs == NEWLINE)
    if (np.diff(ends) == 1).any():
        return False
    if b"\r" in data and (data.count(b"\r") != data.count(b"\r\n") or b"\n\r\n" in data):
        return False
    return b'"' not in data or _quotes_whole_cells(signs, ends, delimiter)


def _quotes_whole_cells(signs: Signs, ends: Places, delimiter: bytes) -> bool:
    quotes = np.flatnonzero(signs == QUOTE)
    if len(quotes) % 2:
        return False
    opens, closes = quotes[0::2], quotes[1::2]
    # A doubled quote within a cell closes and opens again at once.
    again = np.zeros(len(opens) + 1, dtype=bool)
    again[1:-1] = closes[:-1] + 1 == opens[1:]
    # Before the first sign and after the last one a line ends.
    before = np.where(opens > 0, signs[opens - 1], NEWLINE)
    last = len(signs) - 1
    after = np.where(closes < last, signs[np.minimum(closes + 1, last)], NEWLINE)
    return bool(
        (again[:-1] | (before == NEWLINE) | (before == delimiter[0])).all()
        and (again[1:] | (after == NEWLINE) | (after == RETURN) | (after == delimiter[0])).all()
        and (np.searchsorted(ends, opens) == np.searchsorted(ends, closes)).all()
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
