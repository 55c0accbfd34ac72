"""What leaves, as one Ibis expression over the rows of a part, compiled to DuckDB's SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

import ibis
import ibis.expr.types as ir

from governance.vocabulary import FieldType, PackageFormat
from release.rules.decide import Column

PERSON = "person"
PERSON_KEY = "_person"
RECORDED = "_recorded"
FORMULA = ["=", "+", "-", "@", "\t", "\r", "\n"]  # what a spreadsheet may run (OWASP's list)
TYPES: Mapping[FieldType, str] = {
    FieldType.TEXT: "string",
    FieldType.CODE: "string",
    FieldType.CODES: "string",
    FieldType.INTEGER: "int64",
    FieldType.DECIMAL: "float64",
    FieldType.DATE: "date",
    FieldType.BOOLEAN: "boolean",
}
WORDS = {kind for kind, name in TYPES.items() if name == "string"}


@dataclass(frozen=True)
class Shape:
    """What leaves and how: approved columns, the type of each, people per row, the format."""

    columns: tuple[Column, ...]
    types: tuple[FieldType, ...]
    people_per_row: int
    format: PackageFormat


def row_plan(shape: Shape) -> ir.Table:
    """The plan over rows as one Ibis table: what leaves.

    A row leaves with the groups that every person named in it opened, recorded within each one's
    period; a row without any open group does not leave; other columns are null. The rows come in
    order, with what is known of each named person beside them (`beside`).
    """
    slots = slot_columns(shape.people_per_row)
    part = ibis.table(
        {
            **dict.fromkeys(slots, "int32"),
            RECORDED: "date",
            PERSON_KEY: "string",
            **dict.fromkeys(map(groups_of, slots), "int64"),
            **dict.fromkeys(map(until_of, slots), "date"),
            **{
                column.name: TYPES[kind]
                for column, kind in zip(shape.columns, shape.types, strict=True)
            },
        },
        name="part",
    )
    opened = reduce(lambda left, right: left & right, [_open(part, slot) for slot in slots])
    rows = part.mutate(_open=opened)
    leaving = rows.filter(rows["_open"] != 0)
    return leaving.select(
        **{PERSON: leaving[PERSON_KEY]},
        **{
            column.name: _masked(leaving, column, kind, shape.format)
            for column, kind in zip(shape.columns, shape.types, strict=True)
        },
    )


def slot_columns(people_per_row: int) -> list[str]:
    return ["_slot", *(f"_slot{place}" for place in range(2, people_per_row + 1))]


def groups_of(slot: str) -> str:
    return f"{slot}_groups"


def until_of(slot: str) -> str:
    return f"{slot}_until"


def _open(rows: ir.Table, slot: str) -> ir.Value:
    """The groups one named person opens for a row: none unless recorded within her period."""
    within = rows[RECORDED] <= rows[until_of(slot)]
    opened = ibis.ifelse(within, rows[groups_of(slot)], ibis.literal(0, "int64")).coalesce(0)
    return ibis.ifelse(rows[slot].isnull(), ibis.literal(-1, "int64"), opened)


def _masked(rows: ir.Table, column: Column, kind: FieldType, format: PackageFormat) -> ir.Value:
    value = rows[column.name]
    if format == PackageFormat.CSV and kind in WORDS:
        # A quotation mark in front keeps a spreadsheet from running a cell as a formula.
        value = ibis.ifelse(value.left(1).isin(FORMULA), ibis.literal("'") + value, value)
    bit = ibis.literal(1 << column.group, "int64")
    return ibis.ifelse((rows["_open"] & bit) != 0, value, ibis.null(value.type()))


@lru_cache(maxsize=256)
def compiled(shape: Shape) -> str:
    """The plan as DuckDB SQL; the same shape is compiled once."""
    return str(ibis.to_sql(row_plan(shape), dialect="duckdb"))
