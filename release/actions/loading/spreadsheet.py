"""XLSX as rows of text cells: what a cell shows as text, day or truth, in the spelling CSV has."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from common.errors import BadInput
from governance.vocabulary import FieldType
from release.actions.loading.limits import Limits
from release.actions.loading.packed import damaged
from release.actions.loading.rejects import Fault
from release.actions.loading.sheet import LAST_COLUMN, Area, Row, SheetReader
from release.actions.loading.sources import Batch, Given, check_header
from release.actions.loading.workbook import Workbook
from release.rules.columns import texts
from release.rules.mapping import LoadMapping, Sheet
from release.rules.values import Problem, Trouble, unreadable

NO_COLUMN = Problem(
    Trouble.NO_COLUMN, "name the column in the header row; a merged name counts for its cells"
)


class SpreadsheetSource:
    """One sheet of an XLSX file, whose columns fit the mapping."""

    def __init__(self, given: Given, mapping: LoadMapping, limits: Limits) -> None:
        self._given = given
        self._mapping = mapping
        self._sheet = mapping.sheet
        self._limits = limits
        self._workbook = Workbook(given.file, limits)
        self._entry = self._workbook.sheet(self._sheet)
        self._texts = self._workbook.shared_texts()
        header = read_header(self._workbook, self._sheet, self._texts)
        named = [place for place, name in enumerate(header.names) if name]
        names = [header.names[place] for place in named]
        found = check_header(names, mapping, limits.columns, [place + 1 for place in named])
        self._places = {column: named[place] for column, place in found.items()}
        self._named = {place: header.names[place] for place in named}
        self._check_hidden(header.hidden)
        self._exact = set(self._places.values()) - {
            self._places[rule.column] for rule in mapping.fields if rule.type == FieldType.DECIMAL
        }
        self._row = 0

    def expected_bytes(self) -> int:
        return self._workbook.parts.size(self._entry.part)

    def batches(self) -> Iterator[Batch]:
        reader = SheetReader(self._workbook, self._entry, self._texts, self._limits.record_bytes)
        waiting: list[Row] = []
        size, whole = 0, max(1, self.expected_bytes())
        for rows, read in reader.batches():
            self._check_merged(reader.merged)
            for row in rows:
                if row.line < self._sheet.first_row:
                    continue
                self._check_shown(row)
                waiting.append(row)
                size += self._size(row)
                if size > self._limits.batch_bytes or len(waiting) >= self._limits.batch_rows:
                    yield self._batch(waiting, read / whole)
                    waiting, size = [], 0
        self._check_merged(reader.merged)
        if waiting:
            yield self._batch(waiting, 1.0)

    def _check_hidden(self, hidden: Sequence[tuple[int, int]]) -> None:
        if self._sheet.hidden:
            return
        for place, name in self._named.items():
            if name not in self._mapping.ignored and any(a <= place <= b for a, b in hidden):
                raise BadInput(
                    "hidden",
                    f"Column {place + 1} of the sheet is hidden. Show it and save the file, list "
                    "it under [ignore], or write hidden = true under [sheet].",
                )

    def _check_shown(self, row: Row) -> None:
        if row.hidden and not self._sheet.hidden:
            raise BadInput(
                "hidden",
                f"Row {row.line} of the sheet is hidden (by hand or by a filter). Show all rows "
                "and save the file, or write hidden = true under [sheet].",
            )

    def _check_merged(self, merged: Sequence[Area]) -> None:
        last = max(self._named)
        for area in merged:
            if area.bottom >= self._sheet.first_row and area.left <= last:
                raise BadInput(
                    "merged",
                    f"Cells of row {max(area.top, self._sheet.first_row)} are merged, so not every "
                    "row says its own. Unmerge them and fill each row.",
                )

    def _size(self, row: Row) -> int:
        size = sum(map(len, row.cells.values()))
        if size > self._limits.record_bytes:
            raise BadInput("record_too_long", f"Row {row.line} holds more than any record does.")
        return size

    def _batch(self, waiting: list[Row], share: float) -> Batch:
        if self._row + len(waiting) > self._limits.rows:
            raise BadInput("too_large", "The file is larger than one load may be. Divide it.")
        broken: list[Fault] = []
        lines: list[int] = []
        numbers: list[int] = []
        good: list[dict[int, str]] = []
        for number, row in enumerate(waiting, start=self._row + 1):
            if faults := self._faults(row):
                broken.extend(faults)
            else:
                lines.append(row.line)
                numbers.append(number)
                good.append(row.cells)
        self._row += len(waiting)
        return Batch(
            lines=np.array(lines, dtype=np.int64),
            rows=np.array(numbers, dtype=np.int64),
            cells={column: self._column(good, place) for column, place in self._places.items()},
            broken=broken,
            seen=len(waiting),
            read_bytes=int(self._given.size * share),
        )

    def _column(self, rows: list[dict[int, str]], place: int) -> pa.Array:
        return texts([row.get(place, "") for row in rows])

    def _faults(self, row: Row) -> list[Fault]:
        """What makes a row unreadable before any field is looked at."""
        found = [
            Fault(row.line, self._named[place], problem)
            for place, problem in row.odd
            if self._is_read(place) and (problem.trouble != Trouble.INEXACT or place in self._exact)
        ]
        if not row.cells.keys() <= self._named.keys():
            found.append(Fault(row.line, "", NO_COLUMN))
        for place, text in row.cells.items():
            if not text.isascii() and self._is_read(place) and (problem := unreadable(text)):
                found.append(Fault(row.line, self._named[place], problem))
        return found

    def _is_read(self, place: int) -> bool:
        return place in self._named and self._named[place] in self._places


class Header:
    """The names in a sheet's header row, by place, and which columns are hidden."""

    def __init__(self, names: list[str], hidden: list[tuple[int, int]]) -> None:
        self.names = names
        self.hidden = hidden


def read_header(workbook: Workbook, sheet: Sheet, shared: list[str]) -> Header:
    """The column names of a sheet; a name merged over several cells stands in each of them.

    Raises BadInput where the header row is hidden or holds no name.
    """
    above: dict[int, dict[int, str]] = {}
    reader = SheetReader(workbook, workbook.sheet(sheet), shared)
    batches = reader.batches()
    for rows, _read in batches:
        _take_header(rows, sheet, above)
        if rows[-1].line >= sheet.header_row:
            break
    names = above.get(sheet.header_row, {})
    if sheet.header_row > 1 or len(names) <= max(names, default=-1):
        # Merges are told after the last row, so they are looked for only where a name is missing.
        for _ in batches:
            pass
        _spread(reader.merged, above, names, sheet.header_row)
    if not names:
        raise BadInput(
            "empty_file",
            "The header row of the sheet is empty. Say under [sheet] which row it is, with "
            "header_row = …",
        )
    last = max(names)
    return Header([names.get(place, "") for place in range(last + 1)], reader.hidden_columns)


def _spread(
    merged: list[Area], above: dict[int, dict[int, str]], names: dict[int, str], header: int
) -> None:
    """Put the name of merged cells into each of the header row's cells among them."""
    width = 0
    for area in merged:
        name = above.get(area.top, {}).get(area.left, "")
        if not (name and area.top <= header <= area.bottom):
            continue
        width += area.right - area.left + 1
        if width > LAST_COLUMN:
            raise damaged()  # they overlap
        for place in range(area.left, area.right + 1):
            names.setdefault(place, name)


def _take_header(rows: list[Row], sheet: Sheet, above: dict[int, dict[int, str]]) -> None:
    for row in rows:
        if row.line <= sheet.header_row:
            above[row.line] = row.cells
        if row.line == sheet.header_row and row.hidden and not sheet.hidden:
            raise BadInput("hidden", "The header row is hidden. Show it and save the file.")
