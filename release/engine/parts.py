"""The only toucher of rows: a part is opened, the plan is run over it, and what leaves is sealed.

A part is opened into memory; each row gets beside it what is known of the people it names; DuckDB
runs the plan, which says which rows leave with which groups; their cells are lifted, sealed to the
recipient and put into the store. No row ever lies in clear on a disk: DuckDB gets no temporary
folder, and where memory ends the release is refused.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyrage import x25519

from common.errors import NotReady
from common.words import sentence as _
from consent.rules import Slots
from governance.vocabulary import PackageFormat
from release.engine.plan import RECORDED, WORDS, Shape, compiled, slot_columns
from release.engine.rows import as_text, beside, lifted, places_of_keys, weight
from release.rules.decide import People
from release.rules.named import NEVER, NOBODY, Inside, Named, inside, named
from release.rules.person_keys import key_blocks
from release.storage import Store, Stored, memory, seal, unseal

COPIES = 4  # a part lies in memory as read, in order, masked, and encoded


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
    former: tuple[x25519.Identity, ...] = ()  # while the holder's identity is rotated


@dataclass(frozen=True)
class Limits:
    """How much memory the engine may take in all, and how many parts it writes side by side."""

    megabytes: int
    workers: int


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Raises NotReady where DuckDB's memory ends: it has no disk to go on with."""
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError) as error:  # Arrow's is a MemoryError too
        raise _too_much() from error


def _too_much() -> NotReady:
    return NotReady("engine_memory", _("The release needs more memory than the engine may take."))


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
            rows, data = self._leaving(cells, those, here)
        path = f"{self._folder}/{name}"
        return _written(source, found, path, rows, self._keep(path, data))

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
        return unseal(sealed, self._keys.identity, *self._keys.former)

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

    def _leaving(self, cells: pa.Table, those: Named, here: People) -> tuple[int, bytes]:
        """Run the plan over one part; gives how many rows leave, and the file they leave as."""
        blocks = key_blocks(self._keys.person, here.slots)
        connection = self._connection()
        connection.register("part", beside(cells, those, here, places_of_keys(blocks)))
        try:
            chosen = connection.sql(self._plan.rows).to_arrow_table()
        finally:
            connection.unregister("part")
        self._check_memory(weight(cells, chosen, self._shape, self._allowed()))
        leaving = lifted(cells, chosen, self._shape, as_text(blocks))
        if self._shape.format == PackageFormat.CSV:
            return leaving.num_rows, _sheet(connection, self._plan.sheet, leaving)
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


def _sheet(connection: duckdb.DuckDBPyConnection, plan: str, leaving: pa.Table) -> bytes:
    connection.register("leaving", leaving)
    try:
        with memory() as result:
            connection.execute(
                f"COPY ({plan}) TO '{result.path}' (FORMAT CSV, HEADER true, USE_TMP_FILE false)"
            )
            return result.read()
    finally:
        connection.unregister("leaving")


def _parquet(rows: pa.Table) -> bytes:
    """One row group: statistics would help nobody to skip any of it, and cost a fifth of the time."""
    sink = pa.BufferOutputStream()
    words = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    whole = [field.name for field in rows.schema if field.type in (pa.int64(), pa.date32())]
    pq.write_table(
        rows,
        sink,
        use_dictionary=words,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
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
