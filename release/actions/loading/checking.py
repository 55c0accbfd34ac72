"""Rows of text cells become typed rows; what cannot be read is refused row by row."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa

from release.actions.loading.rejects import Fault
from release.actions.loading.sources import Batch
from release.actions.loading.staging import DIGEST, RECORDED, person_columns
from release.rules.columns import Column, distinct, read_column, read_days
from release.rules.mapping import LoadMapping
from release.rules.values import Problem, Trouble, read_day, read_number, unreadable

Digester = Callable[[str], bytes]

REMEMBERED = 200_000  # some 40 MB

NOBODY = Problem(Trouble.NO_PERSON, "every row names whose row it is")
NO_DAY = Problem(Trouble.NO_DAY, "every row says the day of its record")


class Checker:
    """Checks batches under one mapping. `digest` makes of a client number, or of a row's number
    where the mapping says so, what may be kept of it."""

    def __init__(self, mapping: LoadMapping, digest: Digester) -> None:
        self._mapping = mapping
        self._digest = digest
        self._people = person_columns(mapping.people_per_row)
        self._known: dict[str, bytes] = {}  # digests of numbers met lately

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
        kind = pa.binary(DIGEST)
        if not self._mapping.person_columns:
            digests = [self._digest(str(row)) for row in batch.rows.tolist()]
            return [(self._people[0], "", Column(pa.array(digests, kind), []))]
        if len(self._people) == 1:
            whole = self._all_known(batch.cells[self._mapping.person_columns[0]])
            if whole is not None:
                return [(self._people[0], self._mapping.person_columns[0], Column(whole, []))]
        readers = [self._first, *[self._further] * (len(self._people) - 1)]
        return [
            (name, column, distinct(batch.cells[column], reader, kind))
            for name, column, reader in zip(
                self._people, self._mapping.person_columns, readers, strict=True
            )
        ]

    def _all_known(self, cells: pa.Array) -> pa.Array | None:
        """The digests of a column whose every cell is a number; None where one is not."""
        encoded = cells.dictionary_encode()
        numbers = encoded.dictionary.to_pylist()
        found = list(map(self._known.get, numbers))
        for place in [place for place, digest in enumerate(found) if digest is None]:
            digest = self._further(numbers[place])
            if not isinstance(digest, bytes):
                return None
            found[place] = digest
        if encoded.indices.null_count:
            return None
        joined = pa.py_buffer(b"".join(digest for digest in found if digest is not None))
        kind = pa.binary(DIGEST)
        digests = pa.FixedSizeBinaryArray.from_buffers(kind, len(found), [None, joined])
        return digests.take(encoded.indices)

    def _first(self, cell: str | None) -> bytes | Problem | None:
        return self._further(cell) or NOBODY

    def _further(self, cell: str | None) -> bytes | Problem | None:
        if cell is not None and (known := self._known.get(cell)):
            return known
        number = read_number(cell)
        if not isinstance(number, str):
            return number
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        digest = self._digest(number)
        self._known[str(cell)] = digest
        return digest

    def _day(self, cell: str | None) -> date | Problem:
        if cell is None or not cell.strip():
            return NO_DAY
        return unreadable(cell) or read_day(cell.strip(), self._mapping.day_format)
