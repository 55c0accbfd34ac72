"""The lines of a text file, one by one or many at once."""

import io
import re
from collections import Counter, deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.columns import READ_AS, WORDS, arrow_type, none_refused
from release.rules.mapping import LoadMapping
from release.rules.values import FieldRule

BLOCK = 4 * 1024 * 1024
# A stretch that has to be read record by record; then the next one is looked at anew.
DOUBTFUL = 256 * 1024
QUOTE, NEWLINE, RETURN = b'"\n\r'
MARK = b"\xef\xbb\xbf"
CODECS = {"windows-1252": "cp1252"}
BEFORE_A_CELL = (b"\n", b'"', b" ", b"\t")
NO_SUCH_VALUE = re.compile(r"In CSV column #(\d+): CSV conversion error to ")
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
    """Cuts stretches of lines into columns of text; what is a list of words comes as places.

    Numbers and days are read as such as long as none of the column's cells is to be refused or
    spelled in a way that only Arrow knows: such a column is text from then on.
    """

    def __init__(self, width: int, places: Mapping[str, int], mapping: LoadMapping) -> None:
        self._names = [str(place) for place in range(width)]
        self._places = {column: str(place) for column, place in places.items()}
        self._delimiter = mapping.delimiter.encode()
        self._rules = _read_as_typed(mapping)
        listed = {rule.column for rule in mapping.fields if rule.type in LISTED}
        self._types = {
            place: WORDS if column in listed else pa.string()
            for column, place in self._places.items()
        }
        self._parse = csv.ParseOptions(
            delimiter=mapping.delimiter, quote_char='"', newlines_in_values=False
        )

    def columns(self, data: bytes) -> dict[str, pa.Array] | None:
        """The wanted columns of these lines; None where a line has another number of cells or
        holds bytes that are not text."""
        odd = _spelled_oddly(data, self._delimiter)
        typed = {
            self._places[column]: arrow_type(rule.type)
            for column, rule in self._rules.items()
            if rule.type not in odd
        }
        found = None
        while found is None:
            try:
                found = self._read(data, {**self._types, **typed})
            except pa.ArrowInvalid as error:
                named = NO_SUCH_VALUE.match(str(error))
                if named is None or named[1] not in typed:
                    return None
                del typed[named[1]]
                self._is_text(named[1])
        refused = [
            self._places[column]
            for column, rule in self._rules.items()
            if self._places[column] in typed and not none_refused(found[self._places[column]], rule)
        ]
        if refused:
            found |= self._read(data, {place: pa.string() for place in refused})
            for place in refused:
                self._is_text(place)
        return {column: found[place] for column, place in self._places.items()}

    def _is_text(self, place: str) -> None:
        self._rules = {
            column: rule for column, rule in self._rules.items() if self._places[column] != place
        }

    def _read(self, data: bytes, types: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=self._names, block_size=len(data) + 1),
            parse_options=self._parse,
            convert_options=csv.ConvertOptions(
                column_types=dict(types),
                include_columns=list(types),
                null_values=[""],
                strings_can_be_null=False,
                quoted_strings_can_be_null=True,
            ),
        )
        return {place: _one(table.column(place)) for place in types}


def _read_as_typed(mapping: LoadMapping) -> dict[str, FieldRule]:
    """The columns that stand for one number or day each, and how each is to be read."""
    rules = [rule for rule in mapping.fields if rule.type in READ_AS]
    if mapping.day_column is not None:
        rules.append(
            FieldRule(
                column=mapping.day_column,
                name=mapping.day_column,
                type=FieldType.DATE,
                category="",
                sensitivity=FieldSensitivity.PROCESS,
                required=True,
                day_format=mapping.day_format,
            )
        )
    used = Counter([*mapping.person_columns, *(rule.column for rule in mapping.fields)])
    if mapping.day_column is not None:
        used[mapping.day_column] += 1
    return {rule.column: rule for rule in rules if used[rule.column] == 1}


def _spelled_oddly(data: bytes, delimiter: bytes) -> set[FieldType]:
    """Of which kinds a cell may be spelled in a way that Arrow takes and `read_cell` does not."""
    odd = set()
    # Looking for one sign costs next to nothing, looking for two a tenth of cutting the lines.
    if any(sign in data and b"0" + sign in data for sign in (b"x", b"X")):
        odd.add(FieldType.INTEGER)
    begins = (delimiter, *BEFORE_A_CELL)
    if b"+" in data and (data[:1] == b"+" or any(each + b"+" in data for each in begins)):
        odd.add(FieldType.DECIMAL)
    return odd


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
