"""Files of exported entries: three kinds, written a page at a time, read back by nobody here."""

import base64
import csv
import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from oversight.vocabulary import Format

Row = Mapping[str, Any]
"""One entry: `index`, `leaf` and `leaf_hash` in bytes, and the fields that its leaf spells."""

BYTES = {"leaf", "leaf_hash"}
WHOLE = {"index", "version", "epoch_everyone", "epoch_scope"}
NAMES = (
    "index", "leaf_hash", "leaf", "version", "type", "time", "actor", "via", "purpose", "resource",
    "decision", "reason", "policy", "epoch_everyone", "epoch_scope", "subjects_root",
    "subjects_band", "detail_commit", "nonce",
)  # fmt: skip
SCHEMA = pa.schema(
    [
        (name, pa.binary() if name in BYTES else pa.int64() if name in WHOLE else pa.string())
        for name in NAMES
    ]
)


class Writer(Protocol):
    """One file that grows by pages of rows."""

    def write(self, rows: Iterable[Row]) -> None: ...

    def close(self) -> None: ...


class Jsonl:
    """One JSON object a line; the hash in hexadecimal digits, the leaf's bytes in base64."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("x", encoding="utf-8", newline="\n")

    def write(self, rows: Iterable[Row]) -> None:
        self.file.writelines(json.dumps(_spelled(row)) + "\n" for row in rows)

    def close(self) -> None:
        self.file.close()


class Csv:
    """RFC 4180 with a line of names; spelled as in the JSON lines, and nothing for what is empty."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("x", encoding="utf-8", newline="")
        self.rows = csv.writer(self.file)
        self.rows.writerow(NAMES)

    def write(self, rows: Iterable[Row]) -> None:
        self.rows.writerows(_spelled(row).values() for row in rows)

    def close(self) -> None:
        self.file.close()


class Parquet:
    """One row group a page; the leaf and its hash as bytes."""

    def __init__(self, path: Path) -> None:
        self.writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")

    def write(self, rows: Iterable[Row]) -> None:
        page = [{name: row[name] for name in NAMES} for row in rows]
        self.writer.write_table(pa.Table.from_pylist(page, schema=SCHEMA))

    def close(self) -> None:
        self.writer.close()


WRITERS: Mapping[Format, type[Jsonl] | type[Csv] | type[Parquet]] = {
    Format.JSONL: Jsonl,
    Format.CSV: Csv,
    Format.PARQUET: Parquet,
}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits, once it lies safely on the disk."""
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
        os.fsync(file.fileno())
    return found.hexdigest()


def _spelled(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in NAMES},
        "leaf_hash": row["leaf_hash"].hex(),
        "leaf": base64.b64encode(row["leaf"]).decode("ascii"),
    }
