"""Staged rows become sealed Parquet parts: sorted by person, and no person is ever cut."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyrage import x25519

from release.actions.loading.ahead import Behind
from release.actions.loading.limits import Limits
from release.actions.loading.staging import RECORDED, person_columns
from release.rules.columns import WORDS, as_arrow, as_numbers
from release.rules.parts import Numbers, PresenceBits, cuts, halves
from release.storage import Store, seal

SAMPLE, MOST_DIFFERENT = 4096, 0.75
DIFFERENCES = {pa.int32(), pa.int64(), pa.date32()}
Digests = Callable[[Sequence[str]], Sequence[bytes]]
Enrol = Callable[[Sequence[bytes]], Mapping[bytes, int]]


@dataclass(frozen=True)
class WrittenPart:
    """One sealed part as it lies in the store."""

    number: int
    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Named:
    """A bucket's rows, and its people: as places in lists of what is kept of their numbers."""

    rows: pa.Table
    people: list[tuple[pa.Array, Sequence[bytes]]]


class PartWriter:
    """Writes the parts of one version, bucket by bucket, and remembers who is in them.

    `digests` makes of numbers what may be kept of them. One bucket's people are enrolled while the
    rows of the one before are sorted and sealed. Whoever made it ends it.
    """

    def __init__(
        self,
        *,
        store: Store,
        folder: str,
        recipient: x25519.Recipient,
        people: int,
        digests: Digests,
        enrol: Enrol,
        limits: Limits,
    ) -> None:
        self.parts: list[WrittenPart] = []
        self.presence = PresenceBits()
        self._store = store
        self._folder = folder
        self._recipient = recipient
        self._people = people
        self._digests = digests
        self._enrol = enrol
        self._limits = limits
        self._writing = Behind("write")

    def named(self, bucket: pa.Table) -> Named:
        """Who is in the bucket; asks nothing of the database."""
        encoded = [
            pa.chunked_array(bucket.column(name)).combine_chunks().dictionary_encode()
            for name in person_columns(self._people)
        ]
        people = [(each.indices, self._digests(each.dictionary.to_pylist())) for each in encoded]
        rows = bucket.select(bucket.column_names[self._people :])
        return Named(rows.unify_dictionaries().combine_chunks(), people)

    def write(self, bucket: Named) -> None:
        """Give the bucket's people their slots and begin to write its rows."""
        self._writing.do(self._sorted, self._with_slots(bucket))

    def settle(self) -> None:
        """Wait until all is written. Raises NotReady where the disk is full."""
        self._writing.settle()

    def end(self) -> None:
        """Nothing is written any more."""
        self._writing.end()

    def _sorted(self, table: pa.Table) -> None:
        slots = as_numbers(table.column("_slot").chunk(0)).astype(np.int64)
        days = as_numbers(table.column(RECORDED).chunk(0))
        order = np.lexsort((days, slots))  # stable: the file's own order within a day
        table, slots = table.take(as_arrow(order)), slots[order]
        for start, stop in cuts(slots, fair=self._limits.part_rows):
            self._put(table.slice(start, stop - start), slots[start:stop])

    def _with_slots(self, bucket: Named) -> pa.Table:
        # In the digests' own order, so that a slot says nothing of a place in the file.
        slot_of = self._enrol(sorted({digest for _, each in bucket.people for digest in each}))
        columns: dict[str, pa.Array | pa.ChunkedArray] = {}
        for number, (places, digests) in enumerate(bucket.people, start=1):
            known = np.array([slot_of[digest] for digest in digests], dtype=np.int32)
            columns["_slot" if number == 1 else f"_slot{number}"] = as_arrow(known).take(places)
            self.presence.add(known.astype(np.int64))
        rows = bucket.rows
        return pa.table(columns | dict(zip(rows.column_names, rows.columns, strict=True)))

    def _put(self, rows: pa.Table, slots: Numbers) -> None:
        sealed = seal(parquet(rows), [self._recipient])
        border = halves(slots)
        if len(sealed) > self._limits.part_bytes and border is not None:
            self._put(rows.slice(0, border), slots[:border])
            self._put(rows.slice(border), slots[border:])
            return
        number = len(self.parts) + 1
        name = f"{self._folder}/{number:06d}.age"
        stored = self._store.put(name, sealed)
        self.parts.append(WrittenPart(number, name, rows.num_rows, stored.size, stored.sha256))


def parquet(rows: pa.Table) -> bytes:
    """The rows as one group of one Parquet file, encoded to be small and quick to read again.

    Whole numbers and days as differences, words as dictionaries: measured on 100,000 rows × 12
    columns, a third less to read than the library's own choice and 40 % fewer bytes to unseal.
    """
    whole = [field.name for field in rows.schema if field.type in DIFFERENCES]
    words = [
        field.name
        for field in rows.schema
        if field.type == WORDS or (field.type == pa.string() and _repeats(rows.column(field.name)))
    ]
    buffer = io.BytesIO()
    pq.write_table(
        rows,
        buffer,
        compression="lz4",
        use_dictionary=words,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        row_group_size=max(1, rows.num_rows),
        store_schema=False,  # whoever reads it has text, not places in a list of words
    )
    return buffer.getvalue()


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether so many of the first cells are alike that a list of words is worth making."""
    some = column.slice(0, SAMPLE)
    different: int = pc.count_distinct(some).as_py()
    return different <= len(some) * MOST_DIFFERENT
