"""The only toucher of rows: one Ibis expression, compiled to SQL, run by DuckDB over sealed parts.

A part is opened into memory; each row gets beside it what is known of the people it names, and the
rows are put into the order of person keys; DuckDB runs the plan, which filters and masks; what
leaves is sealed to the recipient and put into the store. No row ever lies in clear on a disk: DuckDB
gets no temporary folder, and where its memory ends the release is refused.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray
from pyrage import x25519

from common.errors import NotReady
from consent.rules import Slots
from governance.vocabulary import FieldType, PackageFormat
from release.rules.decide import Column, People
from release.rules.named import NEVER, NOBODY, Inside, Named, found, inside, named
from release.storage import Store, Stored, memory, seal, unseal

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
COPIES = 4  # a part lies in memory as read, in order, masked, and encoded


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


def person_keys(key: bytes, slots: Slots) -> pa.StringArray:
    """For each slot 32 hexadecimal signs: AES-256 of the slot under the agreement's own key.

    A permutation: two people never share one, and without the key none leads to a slot or to the
    same person's key under another agreement.
    """
    return _as_text(_blocks(key, slots))


def _blocks(key: bytes, slots: Slots) -> bytes:
    blocks = np.zeros((len(slots), 4), dtype=">u4")
    blocks[:, 3] = slots
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - single blocks
    return encryptor.update(blocks.tobytes()) + encryptor.finalize()


def _as_text(blocks: bytes) -> pa.StringArray:
    text = blocks.hex().encode()
    offsets = np.arange(len(blocks) // 16 + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def beside(cells: pa.Table, those: Named, people: People, key: bytes) -> pa.Table:
    """The rows whose first person is known, each with her key and what each named person opened.

    In the order of those keys: the order of our slots would link packages to each other. Somebody
    who is not known opens nothing.
    """
    blocks = _blocks(key, people.slots)
    halves = np.frombuffer(blocks, dtype=">u8")[::2].astype(np.uint64)  # the first half decides
    # Short numbers sort far faster.
    small = np.uint16 if len(halves) <= np.iinfo(np.uint16).max else np.int32
    places = np.empty(len(halves), dtype=small)
    places[np.argsort(halves)] = np.arange(len(halves), dtype=small)
    known, at = found(those, people)
    rows = np.flatnonzero(known[those.row, 0])
    rows = rows[np.argsort(places[at[those.row[rows], 0]], kind="stable")]
    chosen = those.row[rows]
    groups = np.where(known, people.groups[at], np.int64(0))[chosen]
    until = people.record_until[at][chosen]
    who = pa.array(at[chosen, 0].astype(np.int32))
    table = cells.take(pa.array(rows)).append_column(
        PERSON_KEY, pa.DictionaryArray.from_arrays(who, _as_text(blocks))
    )
    for place, slot in enumerate(slot_columns(those.slots.shape[1])):
        table = table.append_column(groups_of(slot), pa.array(groups[:, place]))
        day = pa.array(until[:, place], type=pa.int32()).cast(pa.date32())
        table = table.append_column(until_of(slot), day)
    return table


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Raises NotReady where DuckDB's memory ends: it has no disk to go on with."""
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError) as error:  # Arrow's is a MemoryError too
        raise _too_much() from error


def _too_much() -> NotReady:
    return NotReady("engine_memory", "The release needs more memory than the engine may take.")


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
        self._plan = compiled(shape)
        self._local = threading.local()
        self._opened: list[duckdb.DuckDBPyConnection] = []
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="part")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="disk")

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._disk.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    def write(
        self, sources: Iterable[Source], people: People, name: Callable[[Source], str]
    ) -> Iterator[Written]:
        """Write each part anew with exactly these people; parts without anybody give nothing.

        When the last has come, all of them survive a crash: the disk is waited for beside the
        writing. Raises NotReady where memory or the disk ends or a part is missing or was changed.
        """
        jobs = [self._pool.submit(self._write, source, people, name(source)) for source in sources]
        lasting: list[Future[None]] = []
        try:
            for job in jobs:
                written = job.result()
                if written is None:
                    continue
                if written.name:
                    lasting.append(self._disk.submit(self._store.settle, written.name))
                yield written
            for one in lasting:
                one.result()
        finally:
            for job in jobs:
                job.cancel()
            for one in lasting:
                one.cancel()

    def _write(self, source: Source, people: People, name: str) -> Written | None:
        with _enough_memory():
            cells = self._cells(self._clear(source))
            those = self._named(cells)
            here = people.among(those.people())
            if not len(here.slots):
                return None
            found = inside(those, here)
            if not len(found.slots):
                return _written(source, found)
            part = beside(cells, those, here, self._keys.person)
            rows, data = self._leaving(part)
        path = f"{self._folder}/{name}"
        return _written(source, found, path, rows, self._keep(path, data))

    def _clear(self, source: Source) -> bytes:
        try:
            sealed = self._store.open(source.name)
        except FileNotFoundError as error:
            raise NotReady("part_missing", "A sealed part of the dataset is not there.") from error
        if sha256(sealed).hexdigest() != source.sha256:
            raise NotReady("part_changed", "A sealed part of the dataset is not what was loaded.")
        return unseal(sealed, self._keys.identity)

    def _keep(self, path: str, data: bytes) -> Stored:
        return self._store.put(path, seal(data, [self._keys.recipient]), lasting=False)

    def _cells(self, clear: bytes) -> pa.Table:
        """Of a part what the plan needs, words as numbers into a list of words."""
        words = [
            column.name
            for column, kind in zip(self._shape.columns, self._shape.types, strict=True)
            if kind in WORDS
        ]
        file = pq.ParquetFile(pa.BufferReader(clear), read_dictionary=words)
        columns = [*slot_columns(self._shape.people_per_row), RECORDED]
        columns += [column.name for column in self._shape.columns]
        self._check_memory(len(clear) + 8 * file.metadata.num_rows * len(columns))
        return file.read(columns=columns, use_threads=False).combine_chunks()

    def _named(self, cells: pa.Table) -> Named:
        slots = slot_columns(self._shape.people_per_row)
        columns = [_filled(cells.column(slot), NOBODY) for slot in slots]
        days = _filled(cells.column(RECORDED).cast(pa.int32()), NEVER)
        return named(np.column_stack(columns), days)

    def _leaving(self, part: pa.Table) -> tuple[int, bytes]:
        """Run the plan over one part; gives how many rows leave, and the file they leave as."""
        self._check_memory(part.nbytes + _words(part, self._allowed() - part.nbytes))
        connection = self._connection()
        connection.register("part", part)
        try:
            if self._shape.format == PackageFormat.CSV:
                return _sheet(connection, self._plan)
            leaving = connection.sql(self._plan).to_arrow_table()
        finally:
            connection.unregister("part")
        return leaving.num_rows, _parquet(leaving)

    def _check_memory(self, size: int) -> None:
        if size > self._allowed():
            raise _too_much()

    def _allowed(self) -> int:
        """How many bytes a part may have, in as many copies as it takes."""
        return self._megabytes() * 1024 * 1024 // COPIES

    def _megabytes(self) -> int:
        return max(1, self._limits.megabytes // self._limits.workers)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = duckdb.connect(
                ":memory:",
                config={
                    "threads": 1,
                    "memory_limit": f"{self._megabytes()}MB",
                    "temp_directory": "",
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "preserve_insertion_order": "true",  # rows come in the order they leave in
                },
            )
            self._opened.append(self._local.connection)
        connection: duckdb.DuckDBPyConnection = self._local.connection
        return connection


def _filled(column: pa.Array | pa.ChunkedArray, value: int) -> NDArray[np.int32]:
    filled: NDArray[np.int32] = column.fill_null(value).to_numpy()
    return filled


def _words(part: pa.Table, most: int) -> int:
    """Bytes of the words of a part, each written out where it stands; at once where `most` is far."""
    lists = [
        (chunk, _filled(pc.binary_length(chunk.dictionary), 0))
        for column in part.columns
        if pa.types.is_dictionary(column.type)
        for chunk in column.chunks
    ]
    longest = sum(len(chunk) * int(lengths.max(initial=0)) for chunk, lengths in lists)
    if longest <= most:
        return longest
    return sum(
        int(lengths[_filled(chunk.indices, 0)].sum(dtype=np.int64))
        for chunk, lengths in lists
        if len(lengths)
    )


def _sheet(connection: duckdb.DuckDBPyConnection, plan: str) -> tuple[int, bytes]:
    with memory() as result:
        counted = connection.execute(
            f"COPY ({plan}) TO '{result.path}' (FORMAT CSV, HEADER true, USE_TMP_FILE false)"
        ).fetchall()
        return int(counted[0][0]), result.read()


def _parquet(rows: pa.Table) -> bytes:
    """One row group: statistics would help nobody to skip any of it, and cost a fifth of the time."""
    sink = pa.BufferOutputStream()
    words = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    pq.write_table(
        rows,
        sink,
        use_dictionary=words,
        write_statistics=False,
        row_group_size=max(1, rows.num_rows),
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _written(
    source: Source, found: Inside, name: str = "", rows: int = 0, stored: Stored | None = None
) -> Written:
    return Written(
        source=source,
        name=name,
        rows=rows,
        size=stored.size if stored else 0,
        sha256=stored.sha256 if stored else "",
        slots=found.slots,
        groups=found.groups,
        in_period=found.in_period,
    )
