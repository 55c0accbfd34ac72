"""Reading a file of papers: its shape, line by line; nothing is decided yet."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import BadInput
from common.inputs import Text
from consent.actions.subjects import client_digest, digest_key
from governance.models import Organisation

COLUMNS = (
    "client_number",
    "recipient",
    "purpose",
    "categories",
    "terms",
    "language",
    "channel",
    "signed_on",
    "ends_on",
    "record_until",
    "signature",
    "signer",
    "authority",
    "answers",
    "recorded_by",
    "starts_on",
)
OPTIONAL = {"starts_on"}
CELL = Text(most=2000, lines=True)
LONGEST_CELL = 131_072  # bytes: beyond it the file is no such file


@dataclass(frozen=True)
class Rejected:
    """One line that was not recorded: where, what was wrong, what to do; never a value."""

    line: int
    column: str
    code: str
    hint: str


@dataclass(frozen=True)
class Line:
    """One line of the file after reading: shape is right, nothing is decided yet."""

    number: int
    cells: Mapping[str, str]
    digest: bytes


def read(
    holder: Organisation, lines: Iterable[str], scope: str
) -> tuple[list[Line], list[Rejected]]:
    """The lines that can be read, and those that cannot. Raises BadInput where none can."""
    key = digest_key(holder)
    csv.field_size_limit(LONGEST_CELL)  # one for the whole process: whoever reads sets it
    reader = csv.reader(lines, strict=True)
    rows = _numbered(reader)
    try:
        _, header = next(rows)
    except StopIteration:
        raise BadInput("empty", "The file is empty. Its first line names the columns.") from None
    header = [name.strip().lstrip("\ufeff").strip() for name in header]
    _check_header(header)
    read: list[Line] = []
    rejected: list[Rejected] = []
    for number, cells in rows:
        if len(cells) != len(header):
            rejected.append(Rejected(number, "", "ragged", f"This line needs {len(header)} cells."))
        elif bad := next((n for n, c in zip(header, cells, strict=True) if _unreadable(c)), None):
            rejected.append(
                Rejected(number, bad, "unreadable", "The cell is too long or not plain text.")
            )
        else:
            found = {n: c.strip() for n, c in zip(header, cells, strict=True)}
            read.append(Line(number, found, client_digest(key, found["client_number"], scope)))
    return read, rejected


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(
                "not_csv", f"Line {reader.line_num} is not CSV. Check its quotation marks."
            ) from error
        if cells:
            yield reader.line_num, cells


def _check_header(header: Sequence[str]) -> None:
    if len(set(header)) != len(header):
        raise BadInput("duplicate_column", "A column is named twice in the first line.")
    lacking = [name for name in COLUMNS if name not in header and name not in OPTIONAL]
    if lacking:
        raise BadInput("missing_column", f"These columns are missing: {', '.join(lacking)}.")
    foreign = [name for name in header if name not in COLUMNS]
    if foreign:
        places = ", ".join(str(header.index(name) + 1) for name in foreign)
        raise BadInput("unknown_column", f"The columns at place {places} are not known.")


def _unreadable(cell: str) -> bool:
    return CELL.fault(cell) is not None
