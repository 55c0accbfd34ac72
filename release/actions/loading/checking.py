"""Rows of text cells become typed rows; what cannot be read is refused row by row."""

from datetime import date

import numpy as np
import pyarrow as pa

from release.actions.loading.rejects import Fault
from release.actions.loading.sources import Batch
from release.actions.loading.staging import RECORDED, person_columns
from release.rules.columns import Column, read_column, read_days, read_numbers
from release.rules.mapping import LoadMapping
from release.rules.values import Problem, Trouble, read_day, read_number, unreadable

NOBODY = Problem(Trouble.NO_PERSON, "every row names whose row it is")
NO_DAY = Problem(Trouble.NO_DAY, "every row says the day of its record")


class Checker:
    """Checks batches under one mapping. A row names its people by their client numbers, or by its
    own number where the mapping says so."""

    def __init__(self, mapping: LoadMapping) -> None:
        self._mapping = mapping
        self._people = person_columns(mapping.people_per_row)

    def check(self, batch: Batch) -> tuple[pa.Table, list[Fault]]:
        """The rows that are good, typed; and what is wrong with each of the others."""
        faults = list(batch.broken)
        good = np.ones(len(batch.lines), dtype=bool)
        columns: dict[str, pa.Array] = {}
        for name, source, column in self._read(batch):
            columns[name] = column.values
            for row, problem in column.problems:
                good[row] = False
                faults.append(Fault(int(batch.lines[row]), source, problem))
        table = pa.table(columns)
        return (table if good.all() else table.filter(pa.array(good))), faults

    def _read(self, batch: Batch) -> list[tuple[str, str, Column]]:
        """Name in staging, column of the file, and what was read; in the order of the parts."""
        mapping = self._mapping
        found = self._whose(batch)
        if mapping.day_column is None:
            days = pa.repeat(pa.scalar(mapping.day, pa.date32()), len(batch.lines))
            found.append((RECORDED, "", Column(days, [])))
        else:
            day_cells = batch.cells[mapping.day_column]
            found.append((RECORDED, mapping.day_column, read_days(day_cells, self._day)))
        for rule in mapping.fields:
            found.append((rule.name, rule.column, read_column(batch.cells[rule.column], rule)))
        return found

    def _whose(self, batch: Batch) -> list[tuple[str, str, Column]]:
        if not self._mapping.person_columns:
            own = pa.array(batch.rows).cast(pa.string())
            return [(self._people[0], "", Column(own, []))]
        readers = [_first, *[read_number] * (len(self._people) - 1)]
        return [
            (name, column, read_numbers(batch.cells[column], reader))
            for name, column, reader in zip(
                self._people, self._mapping.person_columns, readers, strict=True
            )
        ]

    def _day(self, cell: str | None) -> date | Problem:
        if cell is None or not cell.strip():
            return NO_DAY
        return unreadable(cell) or read_day(cell.strip(), self._mapping.day_format)


def _first(cell: str | None) -> str | Problem:
    return read_number(cell) or NOBODY
