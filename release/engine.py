"""The only toucher of rows: one Ibis expression, compiled to SQL, run by DuckDB over sealed parts.

A part is opened into anonymous memory, filtered and masked by a native `COPY` into anonymous
memory, sealed to the recipient and put into the store. No row ever lies in clear on a disk: DuckDB
gets no temporary folder, and where its memory ends the release is refused.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, reduce
from hashlib import sha256

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray
from pyrage import x25519

from common.errors import NotReady
from common.words import sentence as _
from consent.rules import Slots
from governance.vocabulary import FieldType, PackageFormat
from release.rules.decide import Column, People
from release.storage import Memory, Store, Stored, memory, seal, unseal

PERSON = "person"
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
COPY = {
    PackageFormat.PARQUET: "FORMAT PARQUET, USE_TMP_FILE false",
    PackageFormat.CSV: "FORMAT CSV, HEADER true, USE_TMP_FILE false",
}


@dataclass(frozen=True)
class Shape:
    """What leaves and how: approved columns, the type of each, people per row, the format."""

    columns: tuple[Column, ...]
    types: tuple[FieldType, ...]
    people_per_row: int
    format: PackageFormat


@dataclass(frozen=True)
class Source:
    """One sealed part of the dataset: its number, its name in the store, its digest."""

    number: int
    name: str
    sha256: str


@dataclass(frozen=True)
class Written:
    """One sealed part of a package and who is in it; without any row it has no name.

    `slots` are sorted; `groups` say, place by place, which groups of columns left for each of them.
    `in_period`: whose rows were recorded within the yes, whether or not they left.
    """

    source: Source
    name: str
    rows: int
    size: int
    sha256: str
    slots: Slots
    groups: NDArray[np.int64]
    in_period: Slots


@dataclass(frozen=True)
class Keys:
    """What opens the holder's parts, makes person keys for one agreement, seals for the recipient."""

    identity: x25519.Identity
    person: bytes
    recipient: x25519.Recipient


@dataclass(frozen=True)
class Limits:
    """How much memory the engine may take in all, and how many parts it writes side by side."""

    megabytes: int
    workers: int


@dataclass(frozen=True)
class Statements:
    """The compiled SQL: what leaves, and who is in it."""

    rows: str
    people: str


def row_plan(shape: Shape) -> tuple[ir.Table, ir.Table]:
    """The plan over rows as two Ibis tables: what leaves, and which groups left for whom.

    A row leaves with the groups that every person named in it opened, recorded within each one's
    period; a row without any open group does not leave; other columns are null.
    """
    slots = slot_columns(shape.people_per_row)
    part = ibis.table(
        {
            **dict.fromkeys(slots, "int32"),
            "_recorded": "date",
            **{
                column.name: TYPES[kind]
                for column, kind in zip(shape.columns, shape.types, strict=True)
            },
        },
        name="part",
    )
    people = ibis.table(
        {
            "slot": "int32",
            "groups": "int64",
            "record_until": "date",
            PERSON: "string",
            "place": "int32",
        },
        name="people",
    )
    first = people.view()
    # Where a row names others too, it is read even if its first person is unknown: they are in it.
    match = part.inner_join if shape.people_per_row == 1 else part.left_join
    rows = match(first, part[slots[0]] == first.slot).select(
        part, _person=first[PERSON], _place=first["place"], _open0=_open(part, first)
    )
    for place, slot in enumerate(slots[1:], start=1):
        other = people.view()
        rows = rows.left_join(other, rows[slot] == other.slot).select(
            rows,
            **{
                f"_open{place}": ibis.ifelse(
                    rows[slot].isnull(), ibis.literal(-1, "int64"), _open(rows, other)
                )
            },
        )
    opened = reduce(
        lambda left, right: left & right, [rows[f"_open{at}"] for at in range(len(slots))]
    )
    rows = rows.mutate(_open=opened)
    leaving = rows.filter(rows["_open"] != 0)
    # Ordered by the agreement's own key (as a number, 3 ms a part instead of 6): the order of our
    # slots would link packages to each other.
    package = leaving.order_by("_place").select(
        **{PERSON: leaving["_person"]},
        **{
            column.name: _masked(leaving, column, kind, shape.format)
            for column, kind in zip(shape.columns, shape.types, strict=True)
        },
    )
    named = reduce(
        lambda left, right: left.union(right),
        [
            rows.select(slot=rows[slot], open=rows["_open"], own=rows[f"_open{at}"]).filter(
                lambda each: each.slot.notnull()
            )
            for at, slot in enumerate(slots)
        ],
    )
    uses = named.group_by("slot").aggregate(open=named["open"].bit_or(), own=named["own"].bit_or())
    return package, uses


def slot_columns(people_per_row: int) -> list[str]:
    return ["_slot", *(f"_slot{place}" for place in range(2, people_per_row + 1))]


def _open(rows: ir.Table, people: ir.Table) -> ir.Value:
    """The groups one named person opens for a row: none unless recorded within her period."""
    within = rows["_recorded"] <= people.record_until
    return ibis.ifelse(within, people.groups, ibis.literal(0, "int64")).coalesce(0)


def _masked(rows: ir.Table, column: Column, kind: FieldType, format: PackageFormat) -> ir.Value:
    value = rows[column.name]
    if format == PackageFormat.CSV and TYPES[kind] == "string":
        # A quotation mark in front keeps a spreadsheet from running a cell as a formula.
        value = ibis.ifelse(value.left(1).isin(FORMULA), ibis.literal("'") + value, value)
    bit = ibis.literal(1 << column.group, "int64")
    return ibis.ifelse((rows["_open"] & bit) != 0, value, ibis.null(value.type()))


@lru_cache(maxsize=256)
def compiled(shape: Shape) -> Statements:
    """The plan as DuckDB SQL; the same shape is compiled once."""
    package, uses = row_plan(shape)
    return Statements(
        rows=str(ibis.to_sql(package, dialect="duckdb")),
        people=str(ibis.to_sql(uses, dialect="duckdb")),
    )


def person_keys(key: bytes, slots: Slots) -> pa.StringArray:
    """For each slot 32 hexadecimal signs: AES-256 of the slot under the agreement's own key.

    A permutation: two people never share one, and without the key none leads to a slot or to the
    same person's key under another agreement.
    """
    blocks = np.zeros((len(slots), 4), dtype=">u4")
    blocks[:, 3] = slots
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - single blocks
    text = (encryptor.update(blocks.tobytes()) + encryptor.finalize()).hex().encode()
    offsets = np.arange(len(slots) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(slots), pa.py_buffer(offsets), pa.py_buffer(text))


def people_table(people: People, key: bytes) -> pa.Table:
    """What the plan knows of people: slot, open groups, last day of record, person key, and the
    place of that key among all in the table."""
    keys = person_keys(key, people.slots)
    places = np.empty(len(keys), dtype=np.int32)
    places[pc.sort_indices(keys).to_numpy()] = np.arange(len(keys), dtype=np.int32)
    return pa.table(
        {
            "slot": people.slots,
            "groups": people.groups,
            "record_until": pa.array(people.record_until, type=pa.int32()).cast(pa.date32()),
            PERSON: keys,
            "place": places,
        }
    )


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Raises NotReady where DuckDB's memory ends: it has no disk to go on with."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise NotReady(
            "engine_memory", _("The release needs more memory than the engine may take.")
        ) from error


class Engine:
    """Writes the parts of one package. One DuckDB of its own for each thread; use with `with`."""

    def __init__(
        self, *, shape: Shape, keys: Keys, limits: Limits, store: Store, folder: str
    ) -> None:
        self._shape = shape
        self._keys = keys
        self._limits = limits
        self._store = store
        self._folder = folder
        self._statements = compiled(shape)
        self._local = threading.local()
        self._opened: list[duckdb.DuckDBPyConnection] = []
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="part")

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    def write(
        self, sources: Iterable[Source], people: People, name: Callable[[Source], str]
    ) -> Iterator[Written]:
        """Write each part anew with exactly these people; parts without anybody give nothing.

        Raises NotReady where memory ends or a part is missing or was changed.
        """
        jobs = [self._pool.submit(self._write, source, people, name(source)) for source in sources]
        try:
            for job in jobs:
                written = job.result()
                if written is not None:
                    yield written
        finally:
            for job in jobs:
                job.cancel()

    def _write(self, source: Source, people: People, name: str) -> Written | None:
        with _enough_memory(), memory(self._clear(source)) as opened, memory() as result:
            return self._copy(source, people, name, opened, result)

    def _clear(self, source: Source) -> bytes:
        try:
            sealed = self._store.open(source.name)
        except FileNotFoundError as error:
            raise NotReady(
                "part_missing", _("A sealed part of the dataset is not there.")
            ) from error
        if sha256(sealed).hexdigest() != source.sha256:
            raise NotReady(
                "part_changed", _("A sealed part of the dataset is not what was loaded.")
            )
        return unseal(sealed, self._keys.identity)

    def _copy(
        self, source: Source, people: People, name: str, opened: Memory, result: Memory
    ) -> Written | None:
        connection = self._connection()
        self._view(connection, opened)
        here = people.among(self._named(connection))
        if not len(here.slots):
            return None
        connection.register("people", people_table(here, self._keys.person))
        try:
            counted = connection.execute(
                f"COPY ({self._statements.rows}) TO '{result.path}' ({COPY[self._shape.format]})"
            ).fetchall()
            uses = connection.execute(self._statements.people).fetchnumpy()
        finally:
            connection.unregister("people")
        rows = int(counted[0][0]) if counted else 0
        slots, groups = np.asarray(uses["slot"]), np.asarray(uses["open"])
        in_period = np.sort(slots[np.asarray(uses["own"]) != 0]).astype(np.int32)
        order = np.argsort(slots[groups != 0], kind="stable")
        inside = slots[groups != 0][order].astype(np.int32)
        path = f"{self._folder}/{name}" if rows else ""
        stored = (
            self._store.put(path, seal(result.read(), [self._keys.recipient]))
            if rows
            else Stored(size=0, sha256="")
        )
        return Written(
            source=source,
            name=path,
            rows=rows,
            size=stored.size,
            sha256=stored.sha256,
            slots=inside,
            groups=groups[groups != 0][order].astype(np.int64),
            in_period=in_period,
        )

    def _view(self, connection: duckdb.DuckDBPyConnection, opened: Memory) -> None:
        connection.read_parquet(opened.path).create_view("part", replace=True)

    def _named(self, connection: duckdb.DuckDBPyConnection) -> Slots:
        found = [
            connection.view("part").unique(column).fetchnumpy()[column]
            for column in slot_columns(self._shape.people_per_row)
        ]
        return np.concatenate([np.ma.compressed(np.ma.asarray(each)) for each in found])

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._local, "connection"):
            megabytes = max(1, self._limits.megabytes // self._limits.workers)
            self._local.connection = duckdb.connect(
                ":memory:",
                config={
                    "threads": 1,
                    "memory_limit": f"{megabytes}MB",
                    "temp_directory": "",
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "preserve_insertion_order": "false",
                },
            )
            self._opened.append(self._local.connection)
        connection: duckdb.DuckDBPyConnection = self._local.connection
        return connection
