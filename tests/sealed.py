"""Tiny sealed parts made by hand, and the engine run over them, as plain values."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyrage import x25519

from governance.vocabulary import FieldType, PackageFormat
from release.engine.parts import Engine, Keys, Limits, Source, Written
from release.engine.plan import Shape, slot_columns
from release.rules.decide import Column, People
from release.storage import LocalStore, seal, unseal

DAY = date(2025, 3, 1)
ARROW: Mapping[FieldType, pa.DataType] = {
    FieldType.TEXT: pa.string(),
    FieldType.CODE: pa.string(),
    FieldType.CODES: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.float64(),
    FieldType.DATE: pa.date32(),
    FieldType.BOOLEAN: pa.bool_(),
}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Line:
    """One row of a sealed part: whose it is, who else it names, when recorded, and its cells."""

    people: tuple[int | None, ...]
    cells: tuple[Any, ...]
    day: date | None = DAY


def shape(
    *columns: tuple[str, int, FieldType],
    people_per_row: int = 1,
    format: PackageFormat = PackageFormat.PARQUET,
) -> Shape:
    """A shape of (name, group, type)."""
    return Shape(
        columns=tuple(Column(name, group) for name, group, _ in columns),
        types=tuple(kind for _, _, kind in columns),
        people_per_row=people_per_row,
        format=format,
    )


def people(given: Mapping[int, int | tuple[int, date]]) -> People:
    """Slot → open groups as bits, or those and the last day of record (otherwise far away)."""
    far = date(2100, 1, 1)
    pairs = {
        slot: value if isinstance(value, tuple) else (value, far)
        for slot, value in sorted(given.items())
    }
    return People(
        np.array(list(pairs), dtype=np.int32),
        np.array([groups for groups, _ in pairs.values()], dtype=np.int64),
        np.array([(day - date(1970, 1, 1)).days for _, day in pairs.values()], dtype=np.int32),
    )


@dataclass
class Bench:
    """A holder's parts in a folder, the engine over them, and the recipient who opens packages."""

    folder: Path
    holder: x25519.Identity = field(default_factory=x25519.Identity.generate)
    recipient: x25519.Identity = field(default_factory=x25519.Identity.generate)
    key: bytes = bytes(range(32))

    def __post_init__(self) -> None:
        self.store = LocalStore(self.folder)

    def part(self, shape: Shape, lines: Sequence[Line], number: int = 1) -> Source:
        """These rows as one sealed part, as loading would leave it."""
        columns: dict[str, pa.Array] = {}
        for place, name in enumerate(slot_columns(shape.people_per_row)):
            slots = [line.people[place] if place < len(line.people) else None for line in lines]
            columns[name] = pa.array(slots, pa.int32())
        columns["_recorded"] = pa.array([line.day for line in lines], pa.date32())
        for at, (column, kind) in enumerate(zip(shape.columns, shape.types, strict=True)):
            columns[column.name] = pa.array([line.cells[at] for line in lines], ARROW[kind])
        clear = io.BytesIO()
        pq.write_table(pa.table(columns), clear)
        sealed = seal(clear.getvalue(), [self.holder.to_public()])
        name = f"parts/{number}.age"
        self.store.put(name, sealed, lasting=False)
        return Source(number, name, sha256(sealed).hexdigest())

    def write(
        self,
        shape: Shape,
        sources: Iterable[Source],
        who: People,
        *,
        limits: Limits | None = None,
        store: LocalStore | None = None,
    ) -> list[Written]:
        """What the engine writes for these people."""
        with Engine(
            shape=shape,
            keys=Keys(self.holder, self.key, self.recipient.to_public()),
            limits=limits or Limits(512, 1),
            store=store or self.store,
            folder="packages/one",
        ) as engine:
            return list(engine.write(sources, who, lambda source: f"out-{source.number}.age"))

    def run(self, shape: Shape, lines: Sequence[Line], who: People) -> Written | None:
        """The package part that one part of these rows becomes."""
        found = self.write(shape, [self.part(shape, lines)], who)
        return found[0] if found else None

    def clear(self, written: Written) -> bytes:
        """The bytes the recipient has after opening the part with its own key."""
        return unseal(self.store.open(written.name), self.recipient)

    def table(self, written: Written) -> pa.Table:
        return pq.read_table(io.BytesIO(self.clear(written)))

    def rows(self, written: Written | None) -> list[Row]:
        """The rows that left, person key first."""
        if written is None or not written.rows:
            return []
        columns = self.table(written).columns
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def sheet(self, written: Written) -> list[list[str]]:
        """The lines of a CSV part, its header first."""
        return list(csv.reader(io.StringIO(self.clear(written).decode(), newline="")))
