"""What leaves, as Ibis expressions compiled to DuckDB's SQL: which rows with which groups of columns,
and how a cell is written for a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

import ibis
import ibis.expr.types as ir

from governance.vocabulary import FieldType, PackageFormat
from release.rules.decide import Column

PERSON = "person"
ROW = "_row"  # the place of a row in its part
WHO = "_who"  # the place of its first person among the people of the part
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
    """The plan over rows as one Ibis table: which rows leave, and which groups of columns with each.

    A row leaves with the groups that every person named in it opened, recorded within each one's
    period; a row without any open group does not leave. The rows come in order, with what is known
    of each named person beside them (`release.engine.rows.beside`).
    """
    slots = slot_columns(shape.people_per_row)
    part = ibis.table(
        {
            ROW: "int32",
            WHO: "int32",
            RECORDED: "date",
            **dict.fromkeys(slots, "int32"),
            **dict.fromkeys(map(groups_of, slots), "int64"),
            **dict.fromkeys(map(until_of, slots), "date"),
        },
        name="part",
    )
    opened = reduce(lambda left, right: left & right, [_open(part, slot) for slot in slots])
    rows = part.mutate(_open=opened)
    leaving = rows.filter(rows["_open"] != 0)
    groups = sorted({column.group for column in shape.columns})
    return leaving.select(
        ROW,
        WHO,
        **{opened_of(g): (leaving["_open"] & ibis.literal(1 << g, "int64")) != 0 for g in groups},
    )


def sheet_plan(shape: Shape) -> ir.Table:
    """What leaves, with every word made harmless to a spreadsheet."""
    leaving = ibis.table(
        {
            PERSON: "string",
            **{
                column.name: TYPES[kind]
                for column, kind in zip(shape.columns, shape.types, strict=True)
            },
        },
        name="leaving",
    )
    return leaving.select(
        **{PERSON: leaving[PERSON]},
        **{
            column.name: _harmless(leaving[column.name]) if kind in WORDS else leaving[column.name]
            for column, kind in zip(shape.columns, shape.types, strict=True)
        },
    )


def slot_columns(people_per_row: int) -> list[str]:
    return ["_slot", *(f"_slot{place}" for place in range(2, people_per_row + 1))]


def groups_of(slot: str) -> str:
    return f"{slot}_groups"


def until_of(slot: str) -> str:
    return f"{slot}_until"


def opened_of(group: int) -> str:
    return f"_opened{group}"


def _open(rows: ir.Table, slot: str) -> ir.Value:
    """The groups one named person opens for a row: none unless recorded within her period."""
    within = rows[RECORDED] <= rows[until_of(slot)]
    opened = ibis.ifelse(within, rows[groups_of(slot)], ibis.literal(0, "int64")).coalesce(0)
    return ibis.ifelse(rows[slot].isnull(), ibis.literal(-1, "int64"), opened)


def _harmless(word: ir.Value) -> ir.Value:
    """A quotation mark in front keeps a spreadsheet from running a cell as a formula."""
    return ibis.ifelse(word.left(1).isin(FORMULA), ibis.literal("'") + word, word)


@dataclass(frozen=True)
class Compiled:
    """Both plans as DuckDB SQL."""

    rows: str
    sheet: str


@lru_cache(maxsize=256)
def compiled(shape: Shape) -> Compiled:
    """The same shape is compiled once."""
    return Compiled(
        rows=str(ibis.to_sql(row_plan(shape), dialect="duckdb")),
        sheet=str(ibis.to_sql(sheet_plan(shape), dialect="duckdb")),
    )
