"""The cells of one sheet, row by row as they stand in the file, each in its one spelling as text."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.errors import BadInput
from release.actions.loading.limits import MIB
from release.actions.loading.packed import damaged, tagged
from release.actions.loading.workbook import DEEPEST, TOO_LONG, TRUE, Entry, Workbook, unescaped
from release.actions.loading.workbook import local as own_name
from release.rules.values import LONGEST_CELL, Problem, Trouble

MOST_AREAS = 100_000
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
EXACT = 10**15  # a spreadsheet keeps 15 digits and puts noughts for the rest
REMEMBERED = 100_000
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?\Z")
AREA = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?\Z")
DIGITS = "0123456789"
BOOLEANS = {"1": "true", "0": "false", "true": "true", "false": "false"}

SHEET_ERROR = Problem(Trouble.SHEET_ERROR, "correct the formula, or empty the cell")
NOT_CALCULATED = Problem(
    Trouble.NOT_CALCULATED, "open the file in the spreadsheet program and save it there"
)
INEXACT = Problem(Trouble.INEXACT, "format the column as text and enter the number anew")


@dataclass
class Row:
    """One row with something in it; columns are counted from 0."""

    line: int  # as the spreadsheet counts, from 1
    hidden: bool
    cells: dict[int, str] = field(default_factory=dict)
    odd: list[tuple[int, Problem]] = field(default_factory=list)


@dataclass(frozen=True)
class Area:
    """Cells merged into one; rows from 1, columns from 0, ends included."""

    top: int
    bottom: int
    left: int
    right: int


def column_at(letters: str) -> int:
    """The column's place from 0: A is 0, AA is 26."""
    place = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or place > LAST_COLUMN:
            raise damaged()
        place = place * 26 + ord(letter) - 64
    if not 1 <= place <= LAST_COLUMN:
        raise damaged()
    return place - 1


class SheetReader:
    """Reads one sheet once, from its first row to its last.

    `hidden_columns` is whole once the first row was given; `merged` at the end.
    """

    def __init__(
        self, workbook: Workbook, entry: Entry, texts: list[str], record_bytes: int = 16 * MIB
    ) -> None:
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []
        self.rows_hidden = False  # rows are hidden unless they say otherwise
        self._workbook = workbook
        self._part = entry.part
        self._texts = texts
        self._record_bytes = record_bytes
        self._row_size = 0  # of the texts that stand in the row itself
        self._rows: list[Row] = []
        self._row: Row | None = None
        self._line = 0
        self._place = -1
        self._inside = False  # a cell
        self._kind = "n"
        self._style = 0
        self._formula = False
        self._taking = False  # text belongs to the cell's value
        self._valued = False
        self._pieces: list[str] = []
        self._length = 0
        self._depth = 0  # of elements that are not cells, rows or values
        self._reading = 0  # of phonetic readings, whose text is not the cell's
        self._names: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._days: dict[str, str] = {}

    def batches(self) -> Iterator[tuple[list[Row], int]]:
        """Rows as they come, some at a time, and how much of the sheet was read, in bytes."""
        pieces = self._workbook.parts.pieces(self._part)
        for read in tagged(pieces, self._start, self._end, self._text):
            if self._rows:
                rows, self._rows = self._rows, []
                yield rows, read

    def _start(self, tag: str, given: Mapping[str, str]) -> None:
        name = self._names.get(tag) or self._name(tag)
        if name == "c":
            self._begin_cell(given)
        elif name in {"v", "t"} and self._inside:
            self._taking = not self._reading
            self._valued = True
        elif name == "row":
            self._begin_row(given)
        elif name == "f" and self._inside:
            self._formula = True
        else:
            self._depth += 1
            if self._depth > DEEPEST:
                raise damaged()
            self._other(name, given)

    def _name(self, tag: str) -> str:
        name = own_name(tag)
        if len(self._names) < REMEMBERED:
            self._names[tag] = name
        return name

    def _other(self, name: str, given: Mapping[str, str]) -> None:
        if max(len(self.merged), len(self.hidden_columns)) > MOST_AREAS:
            raise damaged()
        match name:
            case "rPh":
                self._reading += 1
            case "mergeCell":
                self.merged.append(_area(given.get("ref", "")))
            case "sheetFormatPr":
                self.rows_hidden = given.get("zeroHeight") in TRUE
            case "col" if given.get("hidden") in TRUE:
                try:
                    self.hidden_columns.append((int(given["min"]) - 1, int(given["max"]) - 1))
                except (KeyError, ValueError):
                    raise damaged() from None
            case _:
                pass  # how a sheet looks is not asked

    def _begin_row(self, given: Mapping[str, str]) -> None:
        line = given.get("r", "")
        number = int(line) if line.isdecimal() and len(line) < 9 else self._line + 1
        if self._row is not None or number <= self._line:
            raise damaged()
        if number > LAST_ROW:
            raise BadInput("too_large", f"A sheet has at most {LAST_ROW} rows. Divide the file.")
        self._line = number
        self._place = -1
        self._row_size = 0
        self._row = Row(number, given.get("hidden") in TRUE or self.rows_hidden)

    def _begin_cell(self, given: Mapping[str, str]) -> None:
        if self._row is None or self._inside:
            raise damaged()
        where = given.get("r")
        if where is None:
            place = self._place + 1
        else:
            letters = where.rstrip(DIGITS)
            known = self._places.get(letters)
            place = self._learn(letters) if known is None else known
        if place <= self._place or place >= LAST_COLUMN:
            raise damaged()
        self._place = place
        self._inside = True
        self._kind = given.get("t", "n")
        style = given.get("s", "0")
        self._style = int(style) if style.isdecimal() and len(style) < 9 else 0
        self._formula = self._valued = False
        self._length = 0
        self._pieces.clear()

    def _learn(self, letters: str) -> int:
        place = self._places[letters] = column_at(letters)
        return place

    def _text(self, data: str) -> None:
        if self._taking and self._length <= LONGEST_CELL:
            self._pieces.append(data)
            self._length += len(data)

    def _end(self, tag: str) -> None:
        name = self._names.get(tag) or self._name(tag)
        if name in {"v", "t"} and self._inside:
            self._taking = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            row, self._row = self._row, None
            if row is not None and (row.cells or row.odd):
                self._rows.append(row)
        elif not (name == "f" and self._inside):
            self._depth -= 1
            if name == "rPh":
                self._reading -= 1

    def _end_cell(self) -> None:
        self._inside = False
        row = self._row
        assert row is not None  # noqa: S101 - a cell begins in a row only
        text = "".join(self._pieces)
        if self._formula and (self._workbook.not_calculated or not self._has_result(text)):
            row.odd.append((self._place, NOT_CALCULATED))
            return
        if not text:
            return
        match self._kind:
            case "s":
                self._keep(row, self._shared(text))
            case "n":
                self._number(row, text.strip())
            case "str" | "inlineStr":
                self._own_text(row, text)
            case "e":
                row.odd.append((self._place, SHEET_ERROR))
            case kind:
                self._keep(row, _spelled(kind, text.strip()))

    def _own_text(self, row: Row, text: str) -> None:
        self._row_size += len(text)
        if self._row_size > self._record_bytes:
            raise BadInput("record_too_long", f"Row {self._line} holds more than any record does.")
        self._keep(row, TOO_LONG if len(text) > LONGEST_CELL else unescaped(text))

    def _has_result(self, text: str) -> bool:
        return bool(text) or (self._valued and self._kind == "str")

    def _keep(self, row: Row, text: str) -> None:
        if text:
            row.cells[self._place] = text

    def _shared(self, text: str) -> str:
        try:
            place = int(text)
            if place < 0:
                raise damaged()
            return self._texts[place]
        except (ValueError, IndexError):
            raise damaged() from None

    def _number(self, row: Row, text: str) -> None:
        formats = self._workbook.formats
        shows_day = self._style < len(formats) and formats[self._style]
        if not shows_day and text.isdecimal() and len(text) < 16 and text[0] != "0":
            row.cells[self._place] = text
            return
        if not text:
            return
        if not NUMBER.match(text):
            raise damaged()
        number = float(text)
        if shows_day and (day := self._day(text, number)):
            row.cells[self._place] = day
            return
        if not math.isfinite(number):
            row.cells[self._place] = text
        elif number.is_integer() and abs(number) < EXACT:
            row.cells[self._place] = str(int(number))
        else:
            row.cells[self._place] = repr(number)
            if abs(number) >= EXACT:
                row.odd.append((self._place, INEXACT))

    def _day(self, text: str, number: float) -> str | None:
        found = self._days.get(text)
        if found is None:
            found = self._workbook.day(number) if math.isfinite(number) else None
            if found is not None and len(self._days) < REMEMBERED:
                self._days[text] = found
        return found


def _spelled(kind: str, text: str) -> str:
    """A truth or a day that the file itself writes out."""
    if kind == "b" and text in BOOLEANS:
        return BOOLEANS[text]
    if kind == "d":
        day, _, hour = text.partition("T")
        return f"{day} {hour}" if hour.strip("0:.Z") else day
    raise damaged()


def _area(text: str) -> Area:
    found = AREA.match(text)
    if found is None:
        raise damaged()
    left, top, right, bottom = found.groups()
    last = column_at(right or left)
    return Area(int(top), int(bottom or top), column_at(left), last)
